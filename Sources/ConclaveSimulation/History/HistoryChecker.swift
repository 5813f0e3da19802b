import ConclaveBase
import ConclaveWire

/// Checks a whole history: each object by itself, since objects are independent and a history is
/// right if that of each object is (Herlihy and Wing, 1990).
///
/// What is checked of reads is what they promise: see `HistoryObservation`.
package struct HistoryChecker {
    /// What one object may cost. A history without mistakes takes about a step an operation.
    private static let maximumSteps = 200_000

    /// Objects that took too much to decide.
    package private(set) var undecidedCount = 0
    package private(set) var objectCount = 0
    package private(set) var stepCount = 0
    private let history: History
    private let wasGivenUp: Bool

    /// `wasGivenUp`: an operator had one member go on without the others (V27). What was done last
    /// before that may be undone: a lock that somebody was told he had released was held when all
    /// sessions ended, and that is remembered of it.
    package init(_ history: History, wasGivenUp: Bool = false) {
        self.history = history
        self.wasGivenUp = wasGivenUp
    }

    package mutating func check() throws(Violation) {
        var byObject: [ObjectKey: [History.Operation]] = [:]
        for operation in history.operations {
            guard let kind = operation.what.kind else { continue }
            let key = ObjectKey(kind: kind, name: operation.what.name)
            byObject[key, default: []].append(operation)
        }
        for key in byObject.keys.sorted() {
            try check(key, byObject[key]!)
            if key.kind == .leaderSlot { try checkObservations(of: key.name, byObject[key]!) }
        }
        var keys = KeyHistory(history)
        try keys.check()
        if keys.keyCount > 0 { objectCount += keys.keyCount }
    }

    private mutating func check(
        _ key: ObjectKey, _ operations: [History.Operation]
    ) throws(Violation) {
        objectCount += 1
        if key.kind == .barrier {
            var barrier = BarrierHistory(
                name: key.name, operations: operations, lives: history.lives)
            return try barrier.check()
        }
        var claims = ClaimHistory(
            kind: key.kind, name: key.name, operations: operations, lives: history.lives,
            wasGivenUp: wasGivenUp)
        let verdict = try claims.check(maximumSteps: Self.maximumSteps)
        stepCount += verdict.stepCount
        if !verdict.isDecided { undecidedCount += 1 }
    }

    /// Versions that one process is told never go back, and at a version with a leader no later
    /// term has begun.
    private func checkObservations(
        of slot: ObjectName, _ operations: [History.Operation]
    ) throws(Violation) {
        let tokens = operations.compactMap { operation in
            if case .elected(let token, _, _, _)? = operation.answer { token } else { nil }
        }.sorted()
        let isLedByOne = operations.allSatisfy { operation in
            guard case .campaign(_, let places?) = operation.what.action else { return true }
            return places == 1
        }
        var newest: [UInt64: HistoryObservation] = [:]
        for (process, what) in history.observations where what.slot == slot {
            if let before = newest[process] {
                guard before.version <= what.version else {
                    throw Violation(
                        .totalOrder,
                        "\(slot) was observed at \(before.version), then at \(what.version)")
                }
                guard before.version < what.version || before == what else {
                    throw Violation(
                        .totalOrder, "\(slot) was two things at version \(what.version)")
                }
            }
            newest[process] = what
            guard let token = what.token else { continue }
            // Of several leaders the newest may have gone before the others.
            let begun = isLedByOne ? tokens.last { $0.number <= what.version.number } : nil
            guard token.number <= what.version.number, begun ?? token <= token else {
                throw Violation(
                    .totalOrder,
                    "at version \(what.version) \(slot) was led in term \(token), but "
                        + "\(begun ?? token) had begun")
            }
        }
    }
}
