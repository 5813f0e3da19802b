import ConclaveBase
import ConclaveGroup
import Testing

@testable import ConclaveReplication

@Suite struct `Wall clocks` {
    private static let hour: UInt64 = 3_600_000_000
    private let start = Timestamp(microseconds: 1_000 * Self.hour)

    private func timestamp(_ hours: UInt64) -> Timestamp {
        Timestamp(microseconds: (1_000 + hours) * Self.hour)
    }

    private func group(_ count: UInt32) throws -> [TestReplica] {
        let group = try TestReplica.group(count)
        for replica in group { replica.wallClock = start }
        group.live(1_000)
        return group
    }

    /// What was told of its clock after so many outputs.
    private func clockEvents(of replica: TestReplica, after count: Int = 0) -> [GroupEvent] {
        replica.outputs.dropFirst(count).compactMap { output in
            switch output {
            case .event(.wallClockIsFar): .wallClockIsFar(ahead: .zero)
            case .event(.wallClockIsNear): .wallClockIsNear
            default: nil
            }
        }
    }

    @Test func `one that runs hours ahead does not take the order's time with it`() throws {
        let group = try group(3)
        let before = group.map(\.outputs.count)
        group[0].wallClock = timestamp(5)
        for command in [7, 8, 9] as [UInt8] {
            group[0].propose(command)
            group.live(500)
        }
        #expect(group[1].replica.machine.list.suffix(3) == [7, 8, 9])
        // Clocks that stand still are taken to go on for a while.
        let bound = Timestamp(microseconds: start.microseconds + 3_000_000)
        #expect(group[1].replica.order.time < bound)
        let told = clockEvents(of: group[0], after: before[0])
        #expect(told == [.wallClockIsFar(ahead: .zero)])
        #expect(clockEvents(of: group[1], after: before[1]).isEmpty)
    }

    @Test func `one that is put right is used again, and both are told once`() throws {
        let group = try group(3)
        let before = group.map(\.outputs.count)
        group[0].wallClock = timestamp(5)
        group.live(1_000)
        group[0].wallClock = start
        group.live(1_000)
        let told = clockEvents(of: group[0], after: before[0])
        #expect(told == [.wallClockIsFar(ahead: .zero), .wallClockIsNear])
    }

    @Test func `one that went wrong while the group stood still does not date the next view`()
        throws
    {
        let group = try group(4)
        group[0].wallClock = timestamp(5)
        group[3].disconnect(from: group)
        let rest = Array(group[..<3])
        rest.live(4_000)
        try #require(rest.allSatisfy { $0.replica.view.members.count == 3 })
        let bound = Timestamp(microseconds: start.microseconds + 10_000_000)
        #expect(rest[1].replica.order.time < bound)
    }

    @Test func `most that are put right together do not stay ahead in the eyes of the others`()
        throws
    {
        let group = try group(3)
        let before = group[2].outputs.count
        for replica in group[..<2] { replica.wallClock = timestamp(5) }
        group.live(1_000)
        for replica in group[..<2] { replica.wallClock = start }
        group.live(1_000)
        let told = clockEvents(of: group[2], after: before)
        #expect(told == [.wallClockIsFar(ahead: .zero), .wallClockIsNear])
    }

    @Test func `a process that begins with a wrong one waits for the others'`() throws {
        let group = try group(3)
        group[0].wallClock = timestamp(5)
        for replica in group { try replica.restart() }
        for replica in group { replica.connect(to: group) }
        for _ in 0..<20 where !group[0].replica.isServing { group.live(25) }
        group.live(500)
        for replica in group { try #require(replica.replica.isServing) }
        let bound = Timestamp(microseconds: start.microseconds + 10_000_000)
        #expect(group[1].replica.order.time < bound)
    }

    /// None of them has a median, and both begin the same era: the second in which they do keeps them apart.
    @Test func `C6: survivors that go on alone one after the other have versions of their own`()
        throws
    {
        let group = try group(3)
        var versions: [Version] = []
        for (survivor, hours) in zip(group[..<2], [1, 2] as [UInt64]) {
            try survivor.restart()
            survivor.wallClock = timestamp(hours)
            survivor.live(3_000)
            let wish = SalvageWish(eraAtLeast: 0, by: "operator")
            survivor.replica.salvage(wish, number: 5, now: survivor.now)
            survivor.live(3_000)
            guard case .done(let report)? = survivor.salvaged else {
                Issue.record("\(String(describing: survivor.salvaged))")
                return
            }
            versions.append(report.version)
        }
        #expect(versions[0].era == versions[1].era)
        #expect(versions[0].number + 3_000 << 30 < versions[1].number)
    }

    @Test func `of two nobody knows which one is right`() throws {
        let group = try group(2)
        group[0].wallClock = timestamp(5)
        group[0].propose(7)
        group.live(500)
        #expect(group[1].replica.order.time == timestamp(5))
        #expect(clockEvents(of: group[0]).isEmpty)
    }

    @Test func `a clock that is a little off is left alone`() {
        let clock = MedianClock(suspicion: .seconds(1))
        let now = Instant(nanoseconds: 1_000_000_000)
        clock.note(start, now: now)
        for milliseconds in [0, 1_999, 2_000] as [UInt64] {
            let own = Timestamp(microseconds: start.microseconds + milliseconds * 1_000)
            #expect(clock.time(own: own, now: now) { _ in Issue.record("told") } == own)
        }
        let far = Timestamp(microseconds: start.microseconds + 2_000_001)
        var told: [Interval?] = []
        #expect(clock.time(own: far, now: now) { told.append($0) } == start)
        #expect(clock.time(own: far, now: now) { told.append($0) } == start)
        #expect(told == [.microseconds(2_000_001)])
    }
}
