import ConclaveBase
import ConclaveClientCore
import ConclaveWire
import Testing

@Suite struct `A leader that is followed` {
    private var client = TestClient()
    private let slot: ObjectName
    private let follower: CallID

    init() throws {
        client.open()
        slot = try ObjectName("scheduler")
        follower = client.query(.objects(ObjectQuery(.leader(slot))))
        client.effects.removeAll()
    }

    private func state(_ version: UInt64) -> LeaderState {
        LeaderState(slot: slot, leader: nil, standbyCount: 0, version: Version(version))
    }

    private mutating func receive(_ version: UInt64, _ flags: FrameHeader.Flags) {
        let state = state(version)
        client.receive(.observeLeader, flags, number: 1) { state.encode(into: &$0) }
    }

    private mutating func receive(isServing: Bool) {
        client.receive(.serving, .event) {
            ServingState(isServing: isServing, reason: isServing ? "" : "no majority")
                .encode(into: &$0)
        }
    }

    private mutating func takeReports() -> [ClientCore.Report] {
        client.take().compactMap { effect in
            switch effect {
            case .answered(follower, .report(let report)), .event(follower, .report(let report)):
                report
            default: nil
            }
        }
    }

    @Test mutating func `is in doubt while the daemon does not serve, and is told so once`() {
        receive(5, .reply)
        receive(isServing: false)
        receive(isServing: false)
        receive(isServing: true)
        #expect(
            takeReports() == [.leader(state(5)), .doubtful(reason: "no majority"), .assured])
    }

    @Test mutating func `is in doubt while no daemon is there, until one has told the state`() {
        receive(5, .reply)
        client.step(.disconnected(reason: "reset"))
        client.now = max(client.now, client.core.nextTick)
        client.connect()
        client.receiveHello(isServing: true, reason: "")
        client.receiveOpened(.resume)
        #expect(takeReports() == [.leader(state(5)), .doubtful(reason: "reset")])
        receive(5, .reply)
        #expect(takeReports() == [.leader(state(5)), .assured])
    }

    @Test mutating func `is in doubt from the beginning where nobody serves, behind its state`() {
        receive(isServing: false)
        #expect(takeReports() == [])
        receive(5, .reply)
        #expect(takeReports() == [.leader(state(5)), .doubtful(reason: "no majority")])
    }
}
