import ConclaveBase
import ConclaveClientCore
import ConclaveWire
import Testing

@Suite struct `A state that is handed over` {
    private let name = try! ObjectName("stock")
    private var adoption = StateAdoption(own: FencingToken(5))

    private func picture(
        _ version: UInt64, _ members: [(UInt64, StatePossession)]
    ) -> ClientCore.GroupPicture {
        ClientCore.GroupPicture(
            name: name, number: version, version: Version(version),
            members: members.map { token, possession in
                GroupMember(
                    token: FencingToken(token), session: SessionID(token), host: NodeID(1), pid: 1,
                    uid: 1, label: "", attributes: .none, possession: possession)
            })
    }

    private mutating func see(
        _ version: UInt64, _ members: [(UInt64, StatePossession)]
    ) -> StateAdoption.Request? {
        let view = picture(version, members)
        let goesOn = adoption.take(.view(view, time: .zero, joined: [], departed: []))
        #expect(goesOn)
        return adoption.takeRequest()
    }

    private mutating func adopt(_ version: UInt64, _ members: [(UInt64, StatePossession)]) {
        let view = picture(version, members)
        let own = view.members.first { $0.token == FencingToken(5) }
        let goesOn = adoption.take(.adopted(view, time: .zero, member: own))
        #expect(goesOn)
    }

    private mutating func request() -> StateAdoption.Request? { adoption.takeRequest() }

    private mutating func hand(
        upTo: UInt64, part: UInt32 = 0, of count: UInt32 = 1, _ payload: [UInt8]
    ) -> StateAdoption.Request? {
        let state = ProvidedState(
            from: FencingToken(1), to: FencingToken(5), upTo: Version(upTo), part: part,
            partCount: count, payload: payload)
        let goesOn = adoption.take(.provided(state))
        #expect(goesOn)
        return adoption.takeRequest()
    }

    @Test mutating func `the first that wants it begins one, when nobody has any`() {
        #expect(see(6, [(4, .wanted), (5, .wanted)]) == nil)
        #expect(see(7, [(5, .wanted), (6, .wanted)]) == .found)
        #expect(see(8, [(5, .wanted), (6, .wanted)]) == nil)
        #expect(adoption.adopted == nil)
        adopt(9, [(5, .held), (6, .wanted)])
        #expect(adoption.adopted == .init(state: nil, upTo: Version(9)))
    }

    @Test mutating func `parts come in any order, and are one state when all are there`() {
        #expect(see(6, [(1, .held), (5, .wanted)]) == nil)
        #expect(hand(upTo: 6, part: 1, of: 2, [3, 4]) == nil)
        #expect(hand(upTo: 6, part: 0, of: 2, [1, 2]) == .adopt([1, 2, 3, 4], upTo: Version(6)))
        adopt(9, [(1, .held), (5, .held)])
        #expect(adoption.adopted == .init(state: [1, 2, 3, 4], upTo: Version(6)))
    }

    @Test mutating func `another provider's parts replace those of the one that is gone`() {
        #expect(hand(upTo: 6, part: 0, of: 2, [1]) == nil)
        #expect(hand(upTo: 8, part: 1, of: 2, [4]) == nil)
        #expect(hand(upTo: 6, part: 1, of: 2, [2]) == nil)
        #expect(hand(upTo: 8, part: 0, of: 2, [3]) == .adopt([3, 4], upTo: Version(8)))
    }

    @Test mutating func `what is asked for counts, also when more comes meanwhile`() {
        #expect(hand(upTo: 6, [1]) == .adopt([1], upTo: Version(6)))
        #expect(hand(upTo: 8, [2]) == nil)
        adopt(9, [(5, .held)])
        #expect(adoption.adopted == .init(state: [1], upTo: Version(6)))
    }

    @Test mutating func `who is refused takes what came since, or waits for it`() {
        #expect(hand(upTo: 6, [1]) == .adopt([1], upTo: Version(6)))
        #expect(hand(upTo: 8, [2]) == nil)
        adoption.refused()
        #expect(request() == .adopt([2], upTo: Version(8)))
        adoption.refused()
        #expect(request() == nil)
        #expect(hand(upTo: 10, [3]) == .adopt([3], upTo: Version(10)))
    }

    @Test mutating func `a state that is here is asked for before one is begun`() {
        #expect(see(6, [(5, .wanted)]) == .found)
        #expect(hand(upTo: 7, [1]) == nil)
        #expect(see(8, [(5, .wanted)]) == nil)
        adoption.refused()
        #expect(request() == .adopt([1], upTo: Version(7)))
    }

    @Test mutating func `who has missed something can only join anew`() {
        var goesOn = adoption.take(.state(picture(6, [(5, .wanted)]), isResync: true))
        #expect(!goesOn)
        goesOn = adoption.take(.over)
        #expect(!goesOn)
    }

    @Test func `the first that has it hands it to each that wants it, once`() {
        var provision = StateProvision(own: FencingToken(2))
        let members: [(token: FencingToken, possession: StatePossession)] = [
            (FencingToken(1), .wanted), (FencingToken(2), .held), (FencingToken(3), .held),
            (FencingToken(4), .none), (FencingToken(5), .wanted),
        ]
        #expect(provision.due(among: members) == [FencingToken(1), FencingToken(5)])
        provision.note(provided: FencingToken(1))
        #expect(provision.due(among: members) == [FencingToken(5)])
        #expect(StateProvision(own: FencingToken(3)).due(among: members).isEmpty)
        #expect(StateProvision(own: FencingToken(1)).due(among: members).isEmpty)
    }

    @Test func `a state comes in parts that fit, and an empty one in one`() {
        func parts(_ count: Int) -> [[UInt8]] {
            ProvidedState.parts(
                of: Array(repeating: 7, count: count), from: FencingToken(1), to: FencingToken(2),
                upTo: Version(3)
            ).map(\.payload)
        }
        #expect(parts(0) == [[]])
        #expect(parts(4_096).map(\.count) == [4_096])
        #expect(parts(4_097).map(\.count) == [4_096, 1])
        #expect(parts(ClientLimits.groupState).count == ClientLimits.groupStateParts)
    }
}
