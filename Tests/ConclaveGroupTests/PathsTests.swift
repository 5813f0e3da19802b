import ConclaveBase
import ConclaveGroup
import Testing

@Suite struct `The paths` {
    private func member(_ node: UInt32, _ start: UInt64 = 1) -> Member {
        Member(node: NodeID(node), incarnation: Incarnation(disk: 1, start: start))
    }

    @Test func `there is one for each machine, in the order of their numbers`() {
        var paths = Paths()
        #expect(paths.isEmpty)
        for node in [3, 1, 2] as [UInt32] { paths[NodeID(node)] = member(node) }
        #expect(paths.nodes == [NodeID(1), NodeID(2), NodeID(3)])
        #expect(paths[NodeID(2)] == member(2))
        #expect(paths[NodeID(4)] == nil)
    }

    @Test func `a later process takes the place of an earlier one`() {
        var paths = Paths()
        paths[NodeID(1)] = member(1)
        paths[NodeID(1)] = member(1, 2)
        #expect(paths.nodes == [NodeID(1)])
        #expect(paths[NodeID(1)] == member(1, 2))
        paths[NodeID(1)] = nil
        #expect(paths.isEmpty)
    }
}
