package import ConclaveBase

/// What is known of a planted bug: where to look for it, and within how many seeds it shows. Runs
/// that look for one draw what goes wrong as all others do.
package struct PlantedBug: Sendable {
    package var plant: Plant
    /// The rule that it leaves out.
    package var rule: String
    package var seedCount: Int
    /// The work that shows it soonest.
    package var workload: Workload

    init(_ plant: Plant, rule: String, within seedCount: Int, in workload: Workload = .group) {
        self.plant = plant
        self.rule = rule
        self.seedCount = seedCount
        self.workload = workload
    }

    package static let all: [PlantedBug] = Plant.allCases.map(named)

    package static func named(_ plant: Plant) -> PlantedBug {
        guard let bug = inGroup(plant) ?? inService(plant) else {
            preconditionFailure("\(plant) is not described")
        }
        return bug
    }

    /// Found by replicas alone.
    private static func inGroup(_ plant: Plant) -> PlantedBug? {
        switch plant {
        case .acknowledgeBeforeSync: PlantedBug(plant, rule: "V8", within: 200)
        case .trimByMaximum: PlantedBug(plant, rule: "V17", within: 50)
        case .rowsBeforeReady: PlantedBug(plant, rule: "V2", within: 100)
        case .forgetAcceptedValue, .listFromFile:
            PlantedBug(plant, rule: "V16", within: 300)
        case .frozenBeforeSync: PlantedBug(plant, rule: "V15", within: 200)
        case .echoWhileWedged: PlantedBug(plant, rule: "V15", within: 1_000)
        case .reuseSlotEarly: PlantedBug(plant, rule: "V4", within: 200)
        case .deliverPastFalseNull: PlantedBug(plant, rule: "V5", within: 200)
        case .ballotReusedAfterRestart: PlantedBug(plant, rule: "V14", within: 50)
        case .silenceIgnored: PlantedBug(plant, rule: "V18", within: 20)
        case .emptyStateByMajority: PlantedBug(plant, rule: "V26", within: 2_000)
        case .localTime: PlantedBug(plant, rule: "C2", within: 50)
        case .neighbourAccused: PlantedBug(plant, rule: "C2", within: 500)
        case .digestAtAnotherVersion: PlantedBug(plant, rule: "C2", within: 100)
        case .differingStateGoesOn: PlantedBug(plant, rule: "C2", within: 300)
        case .quorumOfNewView: PlantedBug(plant, rule: "V19", within: 600)
        case .joinerNotLevel: PlantedBug(plant, rule: "V22", within: 100)
        case .strangerLetIn: PlantedBug(plant, rule: "V23", within: 300)
        case .changeTakenForDone: PlantedBug(plant, rule: "C1", within: 300)
        case .changeStaysWanted: PlantedBug(plant, rule: "C1", within: 1_000)
        case .blankMemberVotes, .setAsideMemberVotes:
            PlantedBug(plant, rule: "V13", within: 1_000)
        case .cutOffSyncedTail: PlantedBug(plant, rule: "V30", within: 2_000)
        case .holeIsDamage, .removedBeforeRecorded:
            PlantedBug(plant, rule: "V30", within: 200)
        case .segmentNotRecorded: PlantedBug(plant, rule: "V30", within: 1_000)
        case .staleBatchIsNew: PlantedBug(plant, rule: "V29", within: 100)
        case .newestGivenUp: PlantedBug(plant, rule: "V29", within: 1_000)
        case .gapIsNext: PlantedBug(plant, rule: "V30", within: 1_000)
        case .acknowledgeOnFullDisk: PlantedBug(plant, rule: "V31", within: 1_000)
        case .markPastBatch: PlantedBug(plant, rule: "V8", within: 100)
        case .acceptedBeforeSync: PlantedBug(plant, rule: "V19", within: 20)
        case .waitsForAll: PlantedBug(plant, rule: "C8", within: 50)
        case .promisedForEver: PlantedBug(plant, rule: "C8", within: 1_000)
        case .farewellToOne: PlantedBug(plant, rule: "C8", within: 2_000)
        case .lossWaitedFor: PlantedBug(plant, rule: "C8", within: 2_000)
        case .dividedIsTold: PlantedBug(plant, rule: "C2", within: 2_000)
        case .snapshotUntold: PlantedBug(plant, rule: "V22", within: 1_500)
        case .recoveredNotRewritten: PlantedBug(plant, rule: "V31", within: 50)
        default: nil
        }
    }

    /// Found by daemons with clients.
    private static func inService(_ plant: Plant) -> PlantedBug? {
        switch plant {
        case .grantBeforeValidityEnds: PlantedBug(plant, rule: "K4", within: 50, in: .locks)
        case .resendExpiry: PlantedBug(plant, rule: "K2", within: 300, in: .locks)
        case .cancelLeavesWaiter: PlantedBug(plant, rule: "K10", within: 20, in: .mixed)
        case .leavingWaiterStopsQueue: PlantedBug(plant, rule: "C8", within: 100, in: .mixed)
        case .limitServesNobody, .deadlockWaits, .downgradeServesNobody:
            PlantedBug(plant, rule: "C8", within: 100, in: .locks)
        case .setWaitsForItself: PlantedBug(plant, rule: "C8", within: 100, in: .locks)
        case .everyPermitBlocks: PlantedBug(plant, rule: "C8", within: 200, in: .locks)
        case .upgradeKeepsToken: PlantedBug(plant, rule: "C6", within: 100, in: .locks)
        case .lockDelayIgnored: PlantedBug(plant, rule: "K4", within: 100, in: .locks)
        case .lossForgotten: PlantedBug(plant, rule: "C3", within: 100, in: .locks)
        case .historySkipsLoss: PlantedBug(plant, rule: "C3", within: 20, in: .locks)
        case .historySkipsLimits: PlantedBug(plant, rule: "C3", within: 100, in: .locks)
        case .historyHoldersOfNow: PlantedBug(plant, rule: "C3", within: 20, in: .mixed)
        case .placeGivenTwice: PlantedBug(plant, rule: "C5", within: 50, in: .elections)
        case .handOverToFirst: PlantedBug(plant, rule: "C5", within: 100, in: .elections)
        case .handOverClosesCycle: PlantedBug(plant, rule: "C8", within: 1_500, in: .locks)
        case .openTwice: PlantedBug(plant, rule: "K9", within: 100, in: .mixed)
        case .heldForgotten: PlantedBug(plant, rule: "K9", within: 300, in: .mixed)
        case .takeOverAtOnce, .shownBeforeForgotten:
            PlantedBug(plant, rule: "K7", within: 100, in: .mixed)
        case .learnedShownForgotten, .lostSessionStaysBound, .resumedEndsEarly:
            PlantedBug(plant, rule: "K7", within: 500, in: .mixed)
        case .vacancyUntold: PlantedBug(plant, rule: "C8", within: 20, in: .mixed)
        case .snapshotGrants, .givenUpHistoryGrants, .waitsForOwnLongestTTL:
            PlantedBug(plant, rule: "V26", within: 100, in: .mixed)
        case .goodbyeAnsweredEarly: PlantedBug(plant, rule: "C3", within: 20, in: .mixed)
        case .fullTTLShown: PlantedBug(plant, rule: "K3", within: 20, in: .mixed)
        case .anewBackwards: PlantedBug(plant, rule: "V20", within: 200, in: .mixed)
        case .sessionsOutliveHistory: PlantedBug(plant, rule: "V27", within: 100, in: .mixed)
        case .breakUntold, .oneBarrierBreaks: PlantedBug(plant, rule: "C7", within: 50, in: .mixed)
        case .markNotMadeAnew: PlantedBug(plant, rule: "C8", within: 300, in: .configuration)
        case .compareIgnored, .keyOutlivesSession:
            PlantedBug(plant, rule: "C4", within: 20, in: .configuration)
        case .markWithoutEcho, .markBeforeDelivery:
            PlantedBug(plant, rule: "C3", within: 300, in: .configuration)
        case .resumedWatchSkips, .readAnsweredEarly:
            PlantedBug(plant, rule: "C3", within: 20, in: .configuration)
        case .sameEraAlone: PlantedBug(plant, rule: "V28", within: 400, in: .mixed)
        case .renewalIgnored, .leaseClockKept, .transferKeepsToken, .leasesOutliveHistory:
            PlantedBug(plant, rule: "C5", within: 100, in: .leases)
        case .leaseEndsAtTTL: PlantedBug(plant, rule: "C5", within: 1_000, in: .leases)
        case .learnedLeaseUntimed: PlantedBug(plant, rule: "C8", within: 100, in: .leases)
        case .forcedAtOnce, .forcedNotWithdrawn:
            PlantedBug(plant, rule: "K6", within: 300, in: .mixed)
        case .forcedNotOrdered: PlantedBug(plant, rule: "C8", within: 200, in: .mixed)
        case .memberOutlivesSession: PlantedBug(plant, rule: "C8", within: 20, in: .groups)
        case .foundsBesideHolder: PlantedBug(plant, rule: "C2", within: 1_000, in: .groups)
        case .staleStateAdopted: PlantedBug(plant, rule: "C2", within: 300, in: .groups)
        case .adopterStartsEarly: PlantedBug(plant, rule: "C2", within: 20, in: .groups)
        case .resumedMemberSkips: PlantedBug(plant, rule: "C3", within: 20, in: .groups)
        case .openLatchForgotten, .latchWaiterUntold:
            PlantedBug(plant, rule: "C7", within: 20, in: .latches)
        case .stopNotWaitedFor: PlantedBug(plant, rule: "K6", within: 500, in: .locks)
        case .resumedNotStopped: PlantedBug(plant, rule: "C5", within: 500, in: .locks)
        case .departureAwaited, .namedAreAll:
            PlantedBug(plant, rule: "C7", within: 50, in: .barriers)
        default: nil
        }
    }
}
