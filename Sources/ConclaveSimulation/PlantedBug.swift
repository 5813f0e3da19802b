package import ConclaveBase

/// What is known of a planted bug: where to look for it, and within how many seeds it shows.
package struct PlantedBug: Sendable {
    package var plant: Plant
    /// The rule that it leaves out.
    package var rule: String
    package var seedCount: Int
    package var workload: Workload?

    package static let all: [PlantedBug] = Plant.allCases.map { plant in
        let (rule, seedCount, workload): (String, Int, Workload?) =
            switch plant {
            case .acknowledgeBeforeSync: ("V8", 200, .group)
            case .trimByMaximum: ("V17", 200, .group)
            case .rowsBeforeReady: ("V2", 200, .group)
            case .forgetAcceptedValue: ("V16", 200, .group)
            case .echoWhileWedged: ("V15", 200, .group)
            case .reuseSlotEarly: ("V4", 200, .group)
            case .grantBeforeValidityEnds: ("K4", 200, nil)
            case .resendExpiry: ("K2", 200, nil)
            case .deliverPastFalseNull: ("V5", 200, .group)
            case .blankMemberVotes: ("V13", 200, .group)
            case .ballotReusedAfterRestart: ("V14", 200, .group)
            case .silenceIgnored: ("V18", 200, .group)
            case .emptyStateByMajority: ("V26", 200, .group)
            }
        return PlantedBug(plant: plant, rule: rule, seedCount: seedCount, workload: workload)
    }

    package static func named(_ plant: Plant) -> PlantedBug {
        all.first { $0.plant == plant }!
    }
}
