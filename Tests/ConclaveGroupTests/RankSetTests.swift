import ConclaveGroup
import Testing

@Suite struct `A set of ranks` {
    private func ranks(of set: RankSet) -> [Int] {
        var set = set
        return Array(sequence(state: ()) { _ in set.popFirst() })
    }

    @Test(arguments: [1, 2, 63, 64])
    func `it begins with all or with none`(count: Int) {
        #expect(ranks(of: RankSet(true, count: count)) == Array(0..<count))
        #expect(RankSet(false, count: count).isEmpty)
    }

    @Test func `each rank is in it or not by itself`() {
        var set = RankSet(false, count: 64)
        for rank in [63, 0, 5] { set[rank] = true }
        set[5] = false
        set[6] = false
        #expect((0..<64).filter { set[$0] } == [0, 63])
        #expect(ranks(of: set) == [0, 63])
        #expect(!set.isEmpty)
    }
}
