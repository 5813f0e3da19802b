import ConclaveBase
import ConclaveFabric
import ConclaveReactor
import Testing

@Suite struct `Members of the fabric` {
    private func entry(_ node: NodeID, _ address: SocketAddress) -> MemberList.Entry {
        MemberList.Entry(node: node, address: Array("\(address)".utf8))
    }

    @Test func `a machine that is added is dialled, or let in when it dials`() throws {
        let lower = try Site(first, peers: [:])
        let upper = try Site(second, peers: [:])
        let members = [entry(first.node, lower.address), entry(second.node, upper.address)]
        upper.fabric.adopt(members: members)
        // The other end does not know it yet.
        #expect(try turn(lower, upper) { !upper.recorder.events.isEmpty })
        #expect(
            upper.recorder.whats == [.refusedByPeer("\(FabricRefusal.unknownNode(second.node))")])
        lower.fabric.adopt(members: members)
        #expect(try turn(lower, upper) { upper.recorder.told == [.connected(first)] })
        #expect(try turn(lower, upper) { lower.recorder.told == [.connected(second)] })
    }

    @Test func `a machine that is removed is told so, and refused by name`() throws {
        let pair = try Pair()
        pair.lower.fabric.send([7], to: second.node)
        pair.lower.fabric.adopt(members: [entry(first.node, pair.lower.address)])
        #expect(
            try turn(pair.lower, pair.upper) {
                pair.upper.recorder.told.count > 2 && pair.upper.recorder.events.count > 0
            })
        // What was sent before arrives, then the end.
        #expect(pair.upper.recorder.told.contains { if case .control = $0 { true } else { false } })
        let words = "\(FabricRefusal.unknownNode(second.node))"
        #expect(pair.upper.recorder.whats.first == .refusedByPeer(words))
        #expect(
            try turn(pair.lower, pair.upper) {
                pair.lower.recorder.whats.contains(.refused(.unknownNode(second.node)))
            })
    }

    @Test func `an address that is no number is told, and the configured one is kept`() throws {
        let lower = try Site(first, peers: [:])
        lower.fabric.adopt(members: [
            entry(first.node, lower.address),
            MemberList.Entry(node: second.node, address: Array("host:7400".utf8)),
        ])
        #expect(lower.recorder.whats == [.addressUnknown])
        let upper = try Site(second, peers: [first.node: lower.address])
        upper.fabric.adopt(members: [
            MemberList.Entry(node: first.node, address: Array("host:7400".utf8))
        ])
        #expect(upper.recorder.events.isEmpty)
    }
}
