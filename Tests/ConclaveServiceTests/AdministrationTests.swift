import ConclaveBase
import ConclaveGroup
import ConclaveReplication
import ConclaveService
import ConclaveWire
import Testing

/// Changes of the member list, as the service sees them.
@Suite struct `Administration` {
    private let group = TestGroup()
    private var daemon: TestDaemon { group[0] }

    private func connect(uid: UInt32) throws -> ConnectionID {
        let id = daemon.connect(pid: 7, uid: uid)
        daemon.hello(id)
        _ = try daemon.received(id)
        return id
    }

    @Test(arguments: [0, 42] as [UInt32])
    func `root and the daemon's own user are heard`(uid: UInt32) throws {
        let id = try connect(uid: uid)
        daemon.send(.removeMember, number: 3, id) { $0.integer(UInt32(2)) }
        let wish = try #require(daemon.takeWishes().first)
        let change = MemberChange(.remove(NodeID(2)), by: "uid \(uid), pid 7 on node 1")
        #expect(wish.content == .change(change))
        #expect(try daemon.received(id).isEmpty)
        daemon.step(.memberChange(wish.number, .done(Epoch(9))))
        let frame = try #require(try daemon.received(id).first)
        #expect(frame.header.number == 3)
        #expect(frame.header.type == ClientFrameType.removeMember.rawValue)
        var reader = ByteReader(frame.body)
        #expect(try reader.epoch("epoch") == Epoch(9))
    }

    @Test func `others are refused, and so is what is no address`() throws {
        let stranger = try connect(uid: 1_000)
        daemon.send(.removeMember, stranger) { $0.integer(UInt32(2)) }
        #expect(try daemon.received(stranger).refusals.map(\.code) == [.denied])
        let root = try connect(uid: 0)
        for (node, address) in [(0, "10.0.0.4:7400"), (4, "nowhere")] as [(UInt32, String)] {
            daemon.send(.addMember, root) {
                $0.integer(node)
                $0.text(address)
            }
        }
        let refusals = try daemon.received(root).refusals
        #expect(refusals.map(\.code) == [.invalid, .invalid])
        #expect(refusals[1].message == "'nowhere' is not a numeric address with a port")
        #expect(daemon.takeWishes().isEmpty)
    }

    @Test func `an address has one spelling in the group`() throws {
        let root = try connect(uid: 0)
        daemon.send(.addMember, root) {
            $0.integer(UInt32(4))
            $0.text("[FD00::4]:7400")
        }
        let entry = MemberList.Entry(node: NodeID(4), address: Array("[fd00::4]:7400".utf8))
        let change = MemberChange(.add(entry), by: "uid 0, pid 7 on node 1")
        #expect(daemon.takeWishes().map(\.content) == [.change(change)])
    }

    @Test(arguments: [
        (MemberChangeOutcome.refused("no"), RefusalCode.refused),
        (.unavailable("no"), .unavailable), (.unknown("no"), .outcomeUnknown),
    ])
    func `each outcome has its word`(outcome: MemberChangeOutcome, code: RefusalCode) throws {
        let id = try connect(uid: 0)
        daemon.send(.removeMember, id) { $0.integer(UInt32(2)) }
        let wish = try #require(daemon.takeWishes().first)
        daemon.step(.memberChange(wish.number, outcome))
        // Nobody is told twice.
        daemon.step(.memberChange(wish.number, .done(Epoch(1))))
        #expect(try daemon.received(id).refusals == [Refusal(code, "no")])
    }

    @Test func `C9: a frame that ends early is told by its field`() throws {
        let id = try connect(uid: 0)
        daemon.send(.addMember, id) { $0.integer(UInt16(2)) }
        #expect(try daemon.received(id).refusals.map(\.code) == [.malformed])
    }
}
