import ConclaveBase
import Testing

@Suite struct `Numbers` {
    @Test func `a version of a later era is larger than any of an earlier one`() {
        var last = Version(startOfEra: 2)
        last.number += Version.counterMask
        #expect(last.era == 2)
        #expect(last < Version(startOfEra: 3).next)
        #expect(Version(startOfEra: 3).next.counter == 1)
    }

    @Test func `what begins in an era later on a day has larger versions`() {
        let morning = Version(startOfEra: 7, at: Timestamp(microseconds: 1_764_381_600_000_000))
        let evening = Version(startOfEra: 7, at: Timestamp(microseconds: 1_764_381_601_000_000))
        #expect(morning.era == 7 && evening.era == 7)
        #expect(evening.number - morning.number == 1 << 30)
        // No decoder takes a version in the second half of an era.
        let night = Version(startOfEra: 7, at: Timestamp(microseconds: 86_399_999_999))
        #expect(night.counter < Version.counterMask / 2)
    }

    @Test(arguments: [
        (0, 0), (1_735_689_599, 0), (1_735_689_600, 0), (1_735_776_000, 1), (1_764_381_600, 332),
    ])
    func `an era's day is counted from 2025 on`(seconds: UInt64, day: UInt64) {
        #expect(Timestamp(microseconds: seconds * 1_000_000).daysSince2025 == day)
    }

    @Test func `tokens are versions, and order like them`() {
        let version = Version(startOfEra: 1).next
        #expect(FencingToken(version).number == version.number)
        #expect(FencingToken(version) < FencingToken(version.next))
    }

    @Test(arguments: [(1, 1), (2, 2), (3, 2), (4, 3), (5, 3), (7, 4)])
    func `two quorums of a view always share a member`(count: Int, quorum: Int) {
        let members = (0..<count).map {
            Member(node: NodeID(UInt32($0)), incarnation: Incarnation(1))
        }
        let view = View(epoch: Epoch(1), members: members)
        #expect(view.quorum == quorum)
        #expect(2 * view.quorum > count)
    }

    @Test func `a view tells incarnations apart`() {
        let member = Member(node: NodeID(7), incarnation: Incarnation(1))
        let view = View(epoch: Epoch(1), members: [member])
        #expect(view.contains(member))
        #expect(!view.contains(Member(node: NodeID(7), incarnation: Incarnation(2))))
        #expect(view.rank(of: NodeID(7)) == Rank(0))
        #expect(view.rank(of: NodeID(8)) == nil)
    }

    @Test func `one seed gives one sequence`() {
        var first = SeededRandom(seed: 42)
        var second = SeededRandom(seed: 42)
        var other = SeededRandom(seed: 43)
        let sequence = (0..<16).map { _ in first.next() }
        #expect(sequence == (0..<16).map { _ in second.next() })
        #expect(sequence != (0..<16).map { _ in other.next() })
    }

    @Test func `the first numbers of seed 0 are those of SplitMix64's reference`() {
        var random = SeededRandom(seed: 0)
        #expect(random.next() == 0xE220_A839_7B1D_CDAF)
        #expect(random.next() == 0x6E78_9E6A_A1B9_65F4)
    }

    @Test func `a number below a bound reaches all of them and no other`() {
        var random = SeededRandom(seed: 1)
        let drawn = Set((0..<1_000).map { _ in random.below(7) })
        #expect(drawn == Set(0..<7))
    }
}
