import ConclaveBase
import ConclaveWire

/// C7: of each generation of a barrier every party that is told anything is told the same.
struct BarrierChecker {
    private struct Generation: Hashable {
        var name: ObjectName
        var number: UInt64
    }

    private enum Outcome: Equatable {
        case tripped([BarrierParty])
        case broken(BarrierBreak)
    }

    private var outcomes: [Generation: Outcome] = [:]
    /// In which generation each arrival took part, by its payload.
    private var generationOfPayload: [[UInt8]: Generation] = [:]

    /// - Parameters:
    ///   - payload: What the told party arrived with; no other arrival has it.
    ///   - parties: `nil`: those of a group.
    mutating func tripped(
        _ result: BarrierResult, payload: [UInt8], parties: UInt32?
    ) throws(Violation) {
        let generation = Generation(name: result.name, number: result.generation)
        if let parties, result.parties.count != Int(parties) {
            throw Violation(
                .barriers,
                "\(result.name) tripped with \(result.parties.count) of \(parties) parties")
        }
        guard result.parties.indices.contains(Int(result.rank)),
            result.parties[Int(result.rank)].payload == payload
        else {
            throw Violation(.barriers, "\(result.name): rank \(result.rank) is another party's")
        }
        try note(.tripped(result.parties), of: generation)
        for party in result.parties {
            let earlier = generationOfPayload.updateValue(generation, forKey: party.payload)
            if let earlier, earlier != generation {
                throw Violation(.exactlyOnce, "\(result.name): one arrival counted twice")
            }
        }
    }

    mutating func broken(_ report: BarrierBreak) throws(Violation) {
        try note(.broken(report), of: Generation(name: report.name, number: report.generation))
    }

    private mutating func note(
        _ outcome: Outcome, of generation: Generation
    ) throws(Violation) {
        guard let known = outcomes[generation] else {
            outcomes[generation] = outcome
            return
        }
        guard known == outcome else {
            throw Violation(
                .barriers,
                "\(generation.name), generation \(generation.number), has two outcomes: "
                    + "\(known); \(outcome)")
        }
    }
}
