package import ConclaveBase

/// What is known of a planted bug: where to look for it, and within how many seeds it shows.
package struct PlantedBug: Sendable {
    package var plant: Plant
    /// The rule that it leaves out.
    package var rule: String
    package var seedCount: Int
    package var workload: Workload?
    /// What has to go wrong for it to show, if that is rare among everything that can.
    package var faults: [FaultKind]?
    /// How large a group shows it best.
    package var memberCount: Int?

    init(
        _ plant: Plant, rule: String, within seedCount: Int, workload: Workload? = .group,
        faults: [FaultKind]? = nil, memberCount: Int? = nil
    ) {
        self.plant = plant
        self.rule = rule
        self.seedCount = seedCount
        self.workload = workload
        self.faults = faults
        self.memberCount = memberCount
    }

    package static let all: [PlantedBug] = Plant.allCases.map(named)

    package static func named(_ plant: Plant) -> PlantedBug {
        switch plant {
        case .acknowledgeBeforeSync: PlantedBug(plant, rule: "V8", within: 200)
        case .trimByMaximum: PlantedBug(plant, rule: "V17", within: 50)
        case .rowsBeforeReady: PlantedBug(plant, rule: "V2", within: 100)
        case .forgetAcceptedValue: PlantedBug(plant, rule: "V16", within: 400)
        case .echoWhileWedged: PlantedBug(plant, rule: "V15", within: 500)
        case .reuseSlotEarly: PlantedBug(plant, rule: "V4", within: 200)
        case .grantBeforeValidityEnds:
            PlantedBug(plant, rule: "K4", within: 100, workload: .mixed)
        case .resendExpiry:
            PlantedBug(
                plant, rule: "K2", within: 400, workload: .locks,
                faults: [.isolate, .cutPair, .pause], memberCount: 3)
        case .deliverPastFalseNull: PlantedBug(plant, rule: "V5", within: 100)
        case .blankMemberVotes:
            PlantedBug(
                plant, rule: "V13", within: 1_000, faults: [.erase, .partition, .cutPair],
                memberCount: 3)
        case .ballotReusedAfterRestart:
            PlantedBug(
                plant, rule: "V14", within: 1_000, faults: [.kill, .cutPair], memberCount: 3)
        case .silenceIgnored: PlantedBug(plant, rule: "V18", within: 20)
        case .emptyStateByMajority:
            PlantedBug(plant, rule: "V26", within: 100, faults: [.kill, .killAll, .isolate])
        case .setAsideMemberVotes:
            PlantedBug(
                plant, rule: "V13", within: 1_000, faults: [.corrupt, .partition, .cutPair],
                memberCount: 3)
        case .cutOffSyncedTail:
            PlantedBug(
                plant, rule: "V30", within: 500, faults: [.corrupt, .cutPair, .isolate],
                memberCount: 3)
        case .holeIsDamage:
            PlantedBug(plant, rule: "V30", within: 200, faults: [.power, .powerAll, .stall])
        case .staleBatchIsNew: PlantedBug(plant, rule: "V29", within: 100)
        case .acknowledgeOnFullDisk:
            PlantedBug(
                plant, rule: "V31", within: 300, faults: [.fullDisk, .killAll], memberCount: 1)
        }
    }
}
