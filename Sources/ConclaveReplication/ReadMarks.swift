/// Numbers that are told once everything that was acknowledged anywhere before they were asked for is
/// applied here (C3): whoever waits for one reads the own copy then, and orders nothing for it.
///
/// Of one epoch. What is acknowledged was delivered, and before that every member of the view has
/// acknowledged it (V9), this one too. So all of it lies below what this member has acknowledged when
/// it is asked, unless others have gone on without it. That they have not is shown by a majority that
/// echoes a heartbeat sent after the question: whoever has promised a next view echoes none (V15), and
/// without a majority's promises there is none. All that ask while a heartbeat is on its way share the
/// next one.
struct ReadMarks {
    private struct Round {
        let number: UInt64
        let heartbeat: UInt64
        /// For each sender, what this member had acknowledged when the round began.
        let vector: [UInt64]
    }

    private var wanted: UInt64?
    private var round: Round?
    /// Rounds that a majority has confirmed, whose vectors are not delivered yet.
    private var confirmed: [Round] = []

    /// - Precondition: `number` is larger than those before.
    mutating func want(_ number: UInt64) { wanted = number }

    /// A heartbeat is to be sent for those that wait.
    var needsHeartbeat: Bool { wanted != nil && round == nil }

    mutating func begin(at heartbeat: UInt64, acknowledged vector: [UInt64]) {
        guard let number = wanted else { return }
        wanted = nil
        round = Round(number: number, heartbeat: heartbeat, vector: vector)
    }

    mutating func confirm(where isConfirmed: (_ heartbeat: UInt64) -> Bool) {
        guard let round, isConfirmed(round.heartbeat) else { return }
        confirmed.append(round)
        self.round = nil
    }

    /// The largest number whose time has come, now that so much of each sender is applied.
    mutating func pass(_ delivered: [UInt64]) -> UInt64? {
        var passed: UInt64?
        while let first = confirmed.first, zip(delivered, first.vector).allSatisfy({ $0 >= $1 }) {
            passed = first.number
            confirmed.removeFirst()
        }
        return passed
    }

    /// As if all were delivered: a bug.
    mutating func passAll() -> UInt64? {
        defer { confirmed.removeAll() }
        return confirmed.last?.number
    }

    var isEmpty: Bool { wanted == nil && round == nil && confirmed.isEmpty }
}
