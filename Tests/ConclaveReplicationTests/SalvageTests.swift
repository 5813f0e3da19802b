import ConclaveBase
import ConclaveGroup
import Testing

@testable import ConclaveReplication

/// V27: one member goes on with what is left, by an operator's hand.
@Suite struct `Going on without the others` {
    private let wish = SalvageWish(eraAtLeast: 0, by: "operator")

    /// Asks `replica`, and lets the time pass that an answer takes.
    private func salvage(
        _ replica: TestReplica, among group: [TestReplica]? = nil, eraAtLeast: UInt16 = 0,
        milliseconds: Int64 = 3_000
    ) -> SalvageOutcome? {
        let wish = SalvageWish(eraAtLeast: eraAtLeast, by: "operator")
        replica.replica.salvage(wish, number: 5, now: replica.now)
        (group ?? [replica]).live(milliseconds)
        return replica.salvaged
    }

    private func expectDone(_ outcome: SalvageOutcome?) throws -> SalvageReport {
        if case .done(let report)? = outcome { return report }
        Issue.record("\(String(describing: outcome))")
        return try #require(nil as SalvageReport?)
    }

    /// Three that have served, of which the last one is left.
    private func lastOfThree() throws -> TestReplica {
        let group = try TestReplica.group(3)
        group[2].propose(7)
        group.live(200)
        try #require(group[2].replica.machine.list == [0, 1, 7])
        for gone in group[..<2] { gone.disconnect(from: [group[2]]) }
        group[2].live(3_000)
        try #require(!group[2].replica.isServing)
        return group[2]
    }

    @Test func `it goes on in another lineage with all that it has`() throws {
        let last = try lastOfThree()
        let lineage = last.replica.lineage
        let before = last.replica.version
        #expect(last.replica.notServingReason.contains("conclave recover"))
        let report = try expectDone(salvage(last))
        #expect(last.replica.isServing)
        #expect(last.replica.lineage == report.lineage && report.lineage != lineage)
        #expect(last.replica.machine.list == [0, 1, 7, 0, 2])
        #expect(report.epoch == Epoch(2))
        #expect(report.version.era == before.era + 1)
        #expect(report.kept == [NodeID(3)] && report.removed == [NodeID(1), NodeID(2)])
        #expect(report.quietFor > .seconds(60))
        #expect(last.replica.view.members == [last.member])
        let newest = try #require(last.replica.membership.memory.current)
        #expect(newest.givenUp == [lineage])
        #expect(newest.installed.historyWasGivenUp)
        last.propose(8)
        last.live(100)
        #expect(last.replica.machine.list == [0, 1, 7, 0, 2, 8])
        #expect(last.replica.version.era == report.version.era)
    }

    @Test func `a restart stays in the new history, and the files of the old one go`() throws {
        let last = try lastOfThree()
        let report = try expectDone(salvage(last))
        last.propose(8)
        last.live(100)
        for _ in 0..<2 {
            last.disk.losePower()
            try last.restart()
            last.live(2_000)
        }
        #expect(last.replica.lineage == report.lineage)
        #expect(last.replica.machine.list == [0, 1, 7, 0, 2, 8, 0, 3, 0, 4])
        let snapshots = last.disk.files.keys.filter { $0.hasPrefix("snapshot-") }
        #expect(snapshots == [SnapshotFile.name(report.version)])
    }

    @Test func `until the view is recorded the old history stands`() throws {
        let last = try lastOfThree()
        let lineage = last.replica.lineage
        last.heldLanes = [.views]
        #expect(salvage(last) == nil)
        #expect(last.disk.files.keys.contains { $0.hasPrefix("snapshot-0002") })
        #expect(last.replica.notServingReason.contains("as it was told"))
        last.heldLanes = []
        last.disk.losePower()
        try last.restart()
        last.live(500)
        #expect(last.replica.lineage == lineage)
        #expect(last.replica.machine.list == [0, 1] && last.replica.held.count == 1)
        #expect(last.replica.view.epoch == Epoch(1))
        // What it tried before has used an era up.
        let report = try expectDone(salvage(last))
        #expect(report.version.era == 3)
        #expect(last.replica.machine.list == [0, 1, 7, 0, 2])
        last.live(200)
        #expect(last.disk.files.keys.filter { $0.hasPrefix("snapshot-") }.count == 1)
    }

    @Test func `once the view is recorded the new history counts`() throws {
        let last = try lastOfThree()
        last.replica.salvage(wish, number: 5, now: last.now)
        while !last.replica.isServing {
            last.live(25)
            try #require(last.now.since(start) < .seconds(60))
        }
        // Everything of it is on the disk before anybody is told.
        last.disk.losePower()
        try last.restart()
        last.live(2_000)
        #expect(last.replica.isServing)
        #expect(last.replica.machine.list == [0, 1, 7, 0, 2, 0, 3])
    }

    @Test func `what was received and not delivered is applied, in the new era`() throws {
        let group = try TestReplica.group(3)
        // Two acknowledge nothing any more: what the third says stays undelivered.
        for other in group[..<2] { other.heldLanes = [.segments] }
        group[2].propose(7)
        group.live(200)
        #expect(group[2].replica.machine.list == [0, 1])
        for gone in group[..<2] { gone.disconnect(from: [group[2]]) }
        group[2].live(3_000)
        let report = try expectDone(salvage(group[2]))
        #expect(report.appliedCount == 1)
        #expect(group[2].replica.machine.list == [0, 1, 7, 0, 2])
        // The command and the view are the first two of their era.
        #expect(report.version.era == 2)
        #expect(report.version.counter % (1 << 30) == 2)
    }

    @Test func `a later era may be asked for, and one beyond all is refused`() throws {
        let last = try lastOfThree()
        #expect(
            salvage(last, eraAtLeast: .max)
                == .refused("there is no later era of versions: is the clock right?"))
        #expect(try expectDone(salvage(last, eraAtLeast: 700)).version.era == 700)
    }

    @Test func `whoever serves, or has a majority, is refused`() throws {
        let group = try TestReplica.group(3)
        #expect(salvage(group[0], among: group) == .refused("view 1 serves: nothing is lost"))
        group[2].disconnect(from: group)
        for replica in group[..<2] { replica.heldLanes = [.views] }
        // Both are there and would go on, if their disks did.
        Array(group[..<2]).live(2_500)
        let outcome = salvage(group[0], among: Array(group[..<2]))
        guard case .refused(let reason) = outcome else {
            Issue.record("\(String(describing: outcome))")
            return
        }
        #expect(reason.contains("they go on by themselves"), "\(reason)")
    }

    @Test func `who is connected and does not answer keeps it from going on`() throws {
        let last = try lastOfThree()
        last.hear(.connected(member(1, 9)))
        let outcome = salvage(last)
        guard case .refused(let reason) = outcome else {
            Issue.record("\(String(describing: outcome))")
            return
        }
        #expect(reason.hasPrefix("1: connected, and no answer"))
        #expect(last.fabric.disconnected == [NodeID(1)])
        last.hear(.disconnected(NodeID(1), byPeer: true))
        #expect(try expectDone(salvage(last)).epoch == Epoch(2))
    }

    @Test func `who knows that its history was given up does not go on in it`() throws {
        let last = try lastOfThree()
        last.hear(.givenUp(by: NodeID(2)))
        last.live(25)
        #expect(last.replica.notServingReason.contains("member 2 goes on in another one"))
        #expect(salvage(last) == .refused(last.replica.notServingReason))
    }

    @Test func `a blank machine that it reaches stays on the list, and learns`() throws {
        let last = try lastOfThree()
        let blank = try TestReplica(1, of: [1, 2, 3])
        blank.now = last.now
        let pair = [last, blank]
        last.connect(to: pair)
        pair.live(500)
        let report = try expectDone(salvage(last, among: pair))
        #expect(report.kept == [NodeID(1), NodeID(3)] && report.removed == [NodeID(2)])
        pair.live(8_000)
        #expect(blank.replica.isServing && last.replica.isServing)
        #expect(blank.replica.lineage == report.lineage)
        #expect(blank.replica.machine == last.replica.machine)
        #expect(last.replica.view.members.count == 2)
    }

    @Test func `a member that lost its journal joins what its group became`() throws {
        let group = try TestReplica.group(3)
        group[2].propose(7)
        group.live(200)
        for gone in group[..<2] { gone.disconnect(from: [group[2]]) }
        group[2].live(1_000)
        for file in ["views.a", "views.b"] { group[0].disk.remove(file) }
        try group[0].restart()
        let pair = [group[2], group[0]]
        pair[1].now = pair[0].now
        pair[0].connect(to: pair)
        pair.live(500)
        try #require(group[0].replica.membership.memory.loss != nil)
        let report = try expectDone(salvage(group[2], among: pair))
        pair.live(8_000)
        #expect(group[0].replica.isServing)
        #expect(group[0].replica.lineage == report.lineage)
        #expect(group[0].replica.machine == group[2].replica.machine)
    }

    @Test func `of two with as much it is the lower number`() throws {
        let group = try TestReplica.group(5)
        group[3].propose(7)
        group.live(200)
        let left = [group[3], group[4]]
        for gone in group[..<3] { gone.disconnect(from: left) }
        left.live(3_000)
        #expect(
            salvage(left[1], among: left)
                == .refused("member 4 has as much of the history or more: recover there"))
        let report = try expectDone(salvage(left[0], among: left))
        #expect(report.kept == [NodeID(4), NodeID(5)])
        // The other one is in the history that was given up: its frames mean nothing any more.
        left.live(3_000)
        #expect(left[0].replica.isServing)
        #expect(left[1].replica.lineage != report.lineage)
        left[1].disk.erase()
        try left[1].restart()
        left[0].hear(.disconnected(NodeID(5), byPeer: true))
        left[0].connect(to: left)
        left.live(8_000)
        #expect(left[1].replica.machine == left[0].replica.machine)
        #expect(left[0].replica.view.members.count == 2)
    }

    @Test func `a member that was left out goes on with what it had`() throws {
        let group = try TestReplica.group(3)
        group[2].propose(7)
        group.live(200)
        group[2].disconnect(from: group)
        group[2].hear(.disconnected(NodeID(1), byPeer: false))
        group[2].hear(.disconnected(NodeID(2), byPeer: false))
        Array(group[..<2]).live(2_000)
        try #require(group[0].replica.isServing)
        group[0].propose(8)
        Array(group[..<2]).live(200)
        group[2].live(3_000)
        // Versions of what is lost are not used again.
        let lost = group[0].replica.version
        let report = try expectDone(salvage(group[2]))
        #expect(report.version > lost)
        #expect(group[2].replica.machine.list == [0, 1, 7, 0, 2])
        #expect(group[2].replica.isServing)
    }
}

/// Who may go on, by what each has.
@Suite struct `A survey` {
    private func holding(
        _ epoch: UInt64, _ vector: [UInt64]?, newest: UInt64? = nil, mayVote: Bool = true
    ) -> Holding {
        Holding(
            newest: view(newest ?? epoch, of: [member(1), member(2), member(3)]),
            mayVote: mayVote, highestEra: UInt16(epoch),
            state: vector.map { Holding.State(epoch: Epoch(epoch), vector: $0) })
    }

    private func survey(_ own: Holding, _ others: [UInt32: Holding]) -> Survey {
        var survey = Survey(own: NodeID(2), holding: own)
        for (node, holding) in others { survey.take(holding, from: NodeID(node)) }
        return survey
    }

    private func isRefused(_ survey: Survey) -> Bool {
        survey.refusal(reached: survey.holdings.keys.sorted()) != nil
    }

    @Test func `alone in a view of three it may`() {
        #expect(!isRefused(survey(holding(4, [1, 2, 3]), [:])))
        #expect(isRefused(survey(holding(4, nil), [:])))
    }

    @Test func `a majority that may vote keeps it from that, if it has the state`() {
        let own = holding(4, [5, 5, 5])
        #expect(isRefused(survey(own, [3: holding(4, [1, 1, 1])])))
        #expect(!isRefused(survey(own, [3: holding(4, [1, 1, 1], mayVote: false)])))
        // Two voters without state of that view would wait for the third for ever.
        let behind = holding(3, [1, 1, 1], newest: 4)
        #expect(!isRefused(survey(behind, [3: behind])))
    }

    @Test func `a newer state is elsewhere, or more of the same`() {
        let own = holding(4, [5, 5, 5], mayVote: false)
        for (theirs, isBetter) in [
            (holding(5, [0, 0, 0], mayVote: false), true),
            (holding(4, [5, 6, 5], mayVote: false), true),
            (holding(4, [5, 4, 5], mayVote: false), false),
            (holding(4, [5, 5, 5], mayVote: false), false),
            (holding(3, [9, 9, 9], mayVote: false), false),
            (holding(5, nil, mayVote: false), false),
            (holding(4, [.max, .max, 1], mayVote: false), true),
        ] {
            #expect(isRefused(survey(own, [3: theirs])) == isBetter)
        }
        #expect(isRefused(survey(own, [1: own])))
    }

    @Test func `the newest view and the highest era of all count`() {
        let survey = survey(
            holding(4, [5, 5, 5]), [3: holding(7, nil, mayVote: false)])
        #expect(survey.newest?.epoch == Epoch(7))
        #expect(survey.highestEra == 7)
    }

    @Test func `a removed machine goes on with nothing`() {
        var survey = Survey(own: NodeID(9), holding: holding(4, [5, 5, 5]))
        survey.take(Holding(newest: nil, mayVote: false, highestEra: 0, state: nil), from: node)
        #expect(survey.refusal(reached: [node])?.contains("was removed") == true)
    }
}
