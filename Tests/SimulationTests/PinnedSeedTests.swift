import TestSupport
import Testing

/// The simulator as it is shipped, on seeds that everybody runs.
@Suite(.serialized) struct `Pinned seeds` {
    /// Seeds that once found a mistake stay here for ever; the first ones are for breadth.
    private static let breadth = 40
    private static let pinned: [UInt64] = [
        15, 19, 22, 78, 229, 249, 843, 20_069, 802_886, 1_000_675, 1_010_090,
        1_011_335, 1_032_049, 5_000_596, 6_000_095, 6_001_061,
        6_001_507, 6_100_691, 6_201_309, 7_003_538, 8_700_085, 8_800_061, 8_900_117, 9_300_365,
        9_401_044, 9_900_247, 9_910_025, 9_910_504,
        5_139, 9_972_664, 9_990_097, 9_600_509,
        9_620_251, 9_621_230, 13_002_193, 13_002_181,
        14_004_791, 14_007_577, 14_009_109, 15_007_872, 15_008_313, 15_001_735,
        17_000_573, 22_001_150, 25_000_044, 26_000_817, 28_000_377, 30_009_137, 30_016_408,
        46_000_711,
    ]

    /// Disks that go bad, and little else.
    private static let fewDisks = "rot,kill,power,stall,loseFile,erase"

    @Test func `find no broken promise`() throws {
        let ending = try run(["--seed", "1", "--count", "\(Self.breadth)", "--jobs", "2"])
        #expect(ending.status == 0, "\(ending.output)")
    }

    @Test(arguments: pinned)
    func `that once broke a promise keep it now`(seed: UInt64) throws {
        let ending = try run(["--seed", "\(seed)"])
        #expect(ending.status == 0, "\(ending.output)")
    }

    @Test(arguments: [
        // A member with a new disk whose file does not name the one that teaches.
        ["--seed", "55", "--only", "group"],
        // A machine that was alone in its file, with a new disk.
        [
            "--seed", "83", "--only", "group", "--faults",
            "kill,members,partition,cutPair,erase,leave,power",
        ],
        // A member that found a division, and learns the state of the group that began again.
        ["--seed", "255", "--only", "group"],
        // A machine that is removed, and added again before its daemon has ended.
        ["--seed", "7007", "--only", "mixed"],
        // A segment that a record named as needed was given up.
        ["--seed", "51", "--only", "group"],
        // Keys whose answered changes are applied again in a later era.
        ["--seed", "8", "--only", "mixed"],
        // Keys alone, watched in pieces of one.
        ["--seed", "10", "--count", "4", "--jobs", "2", "--only", "configuration"],
        // A session leaves a task group, and another one is forgotten at once.
        ["--seed", "3", "--only", "groups"],
        // Task groups alone, of which little is kept.
        ["--seed", "9710001", "--count", "6", "--jobs", "2", "--only", "groups"],
        // Latches alone; pairs that enter and leave together, and members that meet.
        ["--seed", "1", "--count", "6", "--jobs", "2", "--only", "latches"],
        ["--seed", "5", "--count", "8", "--jobs", "2", "--only", "barriers"],
        // A message that is on its way when the group has rested.
        ["--seed", "9520084", "--only", "group"],
        // An operator has a member go on with a divided state.
        ["--seed", "9610514", "--only", "group"],
        // A member whose words were held back for longer than is waited for.
        ["--seed", "9600495", "--only", "group"],
        // A view of those that are well has come only now.
        ["--seed", "9650453", "--only", "group"],
        // A member that has lost what the others cannot give it any more.
        ["--seed", "9831417", "--only", "group", "--faults", fewDisks],
        ["--seed", "9831844", "--only", "group", "--faults", fewDisks],
        ["--seed", "9831094", "--only", "group", "--faults", fewDisks],
        // Runs of all kinds that are drawn otherwise by now.
        ["--seed", "6001298", "--only", "barriers"],
        ["--seed", "9960271", "--only", "group"],
        ["--seed", "9620560", "--only", "group"],
        // The only new copy of a view journal goes bad.
        ["--seed", "9830410", "--only", "group", "--faults", fewDisks],
        // A majority that is lost for good.
        ["--count", "12", "--jobs", "2", "--only", "mixed", "--faults", "loseMajority"],
        [
            "--count", "30", "--jobs", "2", "--only", "group", "--faults",
            "loseMajority,members,kill,power,partition,cutPair,isolate,stall,rot",
        ],
    ])
    func `that once broke a promise, or are rare, in a workload of their own keep it now`(
        arguments: [String]
    ) throws {
        let ending = try run(arguments)
        #expect(ending.status == 0, "\(ending.output)")
    }

    @Test(arguments: [1, 7, 23])
    func `give the same run each time, to the last digit`(seed: Int) throws {
        let runs = try (0..<2).map { _ in try run(["--seed", "\(seed)", "--json"]).output }
        let timeless = runs.map { $0.replacing(/"realSeconds":[0-9.]+/, with: "") }
        #expect(timeless[0].contains("\"digest\""))
        #expect(timeless[0] == timeless[1])
    }

    /// The quick ones of those that `conclave-sim --plants` lists; `Tests/plants` looks for all.
    @Test(arguments: [
        "acknowledgeBeforeSync", "trimByMaximum", "rowsBeforeReady", "forgetAcceptedValue",
        "echoWhileWedged", "reuseSlotEarly", "grantBeforeValidityEnds", "resendExpiry",
        "deliverPastFalseNull", "ballotReusedAfterRestart", "silenceIgnored", "joinerNotLevel",
        "strangerLetIn", "cancelLeavesWaiter", "breakUntold", "vacancyUntold", "takeOverAtOnce",
        "fullTTLShown", "holeIsDamage", "staleBatchIsNew", "sessionsOutliveHistory",
        "givenUpHistoryGrants", "frozenBeforeSync", "acceptedBeforeSync", "oneBarrierBreaks",
        "shownBeforeForgotten", "resumedEndsEarly", "neighbourAccused", "compareIgnored",
        "keyOutlivesSession", "resumedWatchSkips", "readAnsweredEarly",
        "recoveredNotRewritten", "waitsForAll", "changeTakenForDone", "lostSessionStaysBound",
        "memberOutlivesSession", "resumedMemberSkips", "adopterStartsEarly", "openLatchForgotten",
        "latchWaiterUntold",
        "departureAwaited", "namedAreAll",
    ])
    func `find a planted bug, and name its seed`(plant: String) throws {
        let ending = try run(["--plant", plant, "--jobs", "2"])
        #expect(ending.status == 1)
        #expect(ending.output.contains("conclave-sim --seed"), "\(ending.output)")
    }

    @Test func `find a run that does not end`() throws {
        let ending = try run(["--seed", "1", "--duration", "1000h", "--patience", "1s"])
        #expect(ending.status == 1)
        #expect(ending.output.contains("C8 broken with seed 1: the run has not ended"))
    }

    @Test func `wrong usage is told as such`() throws {
        #expect(try run(["--seed", "one"]).status == 64)
        #expect(try run(["--plant", "no-such-bug"]).status == 64)
    }

    private func run(_ arguments: [String]) throws -> Running.Ending {
        let directory = try TemporaryDirectory()
        return try Running(Programs.simulator, arguments, in: directory).end(seconds: 600)
    }
}
