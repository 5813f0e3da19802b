import ConclaveBase
import ConclaveWire

/// What happened at one barrier (C7).
///
/// A generation is decided at one point of time: after all its parties have come, before any of them
/// is told, and after the generation before it. Since generations are numbered, the order of these
/// points is known, and there are such points if and only if each can be put at the earliest time
/// that is left for it.
struct BarrierHistory {
    private struct Generation {
        var outcome: HistoryAnswer
        /// Not before the last party came.
        var earliest: UInt64 = 0
        /// Before the first party was told.
        var latest = UInt64.max
        var ranks: Set<UInt32> = []
    }

    let name: ObjectName
    private let operations: [History.Operation]
    private let lives: [UInt64: History.Life]
    private var generations: [UInt64: Generation] = [:]
    /// Which generation counted an arrival, by its payload.
    private var generationOfPayload: [[UInt8]: UInt64] = [:]

    init(
        name: ObjectName, operations: [History.Operation], lives: [UInt64: History.Life]
    ) {
        self.name = name
        self.operations = operations
        self.lives = lives
    }

    mutating func check() throws(Violation) {
        for operation in operations { try take(operation) }
        try checkBreaks()
        try placeDecisions()
    }

    private func broken(_ message: String) -> Violation {
        Violation(.barriers, "barrier \(name): \(message)")
    }

    private mutating func take(_ operation: History.Operation) throws(Violation) {
        guard case .arrive(let parties, let rank, let named, let payload) = operation.what.action
        else { return }
        switch operation.answer {
        case .tripped(let generation, let told, let payloads)? where named == nil:
            guard payloads.count == Int(parties) else {
                throw broken("\(payloads.count) parties made a generation of \(parties)")
            }
            guard Int(told) < payloads.count, payloads[Int(told)] == payload,
                rank == nil || rank == told
            else { throw broken("process \(operation.process) was told somebody else's rank") }
            let outcome = HistoryAnswer.tripped(generation: 0, rank: 0, payloads: payloads)
            try note(operation, of: generation, outcome)
            guard generations[generation]!.ranks.insert(told).inserted else {
                throw broken("rank \(told) was told twice in generation \(generation)")
            }
            try count(payloads, in: generation)
        case .tripped(let generation, _, let payloads)?:
            // Whoever names a generation may have come after it was decided.
            let outcome = HistoryAnswer.tripped(generation: 0, rank: 0, payloads: payloads)
            try note(operation, of: generation, outcome)
        case .broken(let generation, let reason)?:
            try note(operation, of: generation, .broken(generation: 0, reason))
        default: break
        }
    }

    private mutating func note(
        _ operation: History.Operation, of number: UInt64, _ outcome: HistoryAnswer
    ) throws(Violation) {
        var generation = generations[number, default: Generation(outcome: outcome)]
        guard generation.outcome == outcome else {
            throw broken(
                "generation \(number) was \(generation.outcome) for one party and \(outcome) for "
                    + "another")
        }
        if case .arrive(_, _, generation: nil, _) = operation.what.action {
            generation.earliest = max(generation.earliest, operation.invoked)
        }
        generation.latest = min(generation.latest, operation.completed)
        generations[number] = generation
    }

    /// An arrival counts once. Arrivals without a payload cannot be told apart.
    private mutating func count(
        _ payloads: [[UInt8]], in generation: UInt64
    ) throws(Violation) {
        for payload in payloads where !payload.isEmpty {
            let earlier = generationOfPayload.updateValue(generation, forKey: payload)
            guard earlier ?? generation == generation else {
                throw Violation(
                    .exactlyOnce, "barrier \(name): one arrival counted in two generations")
            }
        }
    }

    /// A generation breaks because somebody gave up, came to an end, or disagreed.
    private func checkBreaks() throws(Violation) {
        for number in generations.keys.sorted() {
            guard case .broken(_, let reason) = generations[number]!.outcome else { continue }
            let latest = generations[number]!.latest
            let hasReason = operations.contains { operation in
                guard operation.invoked <= latest else { return false }
                switch reason {
                case .cancelled, .timedOut:
                    // Whoever has taken a lost session over may give up what it waits for.
                    return operation.gaveUp ?? .max <= latest
                        || (lives[operation.process]?.wasLost ?? false)
                case .partyEnded: return lives[operation.process]?.endsFrom ?? .max <= latest
                case .disagreement: return true
                }
            }
            guard hasReason else {
                throw broken("generation \(number) broke as \(reason), but nobody was")
            }
        }
    }

    /// Arrivals that were not counted may have come at any time: of a generation that tripped, all
    /// parties are known by their payloads.
    private mutating func placeDecisions() throws(Violation) {
        for operation in operations {
            guard case .arrive(_, _, _, let payload) = operation.what.action, !payload.isEmpty,
                let generation = generationOfPayload[payload]
            else { continue }
            generations[generation]!.earliest = max(
                generations[generation]!.earliest, operation.invoked)
        }
        var last: UInt64 = 0
        for number in generations.keys.sorted() {
            let generation = generations[number]!
            last = max(last, generation.earliest)
            guard last <= generation.latest else {
                throw broken(
                    "generation \(number) was told at \(generation.latest), before it or one "
                        + "before it was complete at \(last)")
            }
        }
    }
}
