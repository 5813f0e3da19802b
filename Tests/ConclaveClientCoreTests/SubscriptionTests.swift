import ConclaveBase
import ConclaveClientCore
import ConclaveWire
import Testing

@Suite struct `Subscriptions` {
    private var client = TestClient()
    private let slot: ObjectName
    private let observe: CallID

    init() throws {
        client.open()
        slot = try ObjectName("scheduler")
        observe = client.query(.objects(ObjectQuery(.leader(slot))))
        client.effects.removeAll()
    }

    /// Nobody leads, at that version.
    private mutating func receiveState(_ version: UInt64, _ flags: FrameHeader.Flags = .reply) {
        let state = state(version)
        client.receive(.observeLeader, flags, number: 1) { state.encode(into: &$0) }
    }

    private func state(_ version: UInt64) -> LeaderState {
        LeaderState(slot: slot, leaders: [], standbyCount: 0, version: Version(version))
    }

    private var events: [ClientCore.Answer] {
        client.effects.compactMap { effect in
            if case .event(_, let answer) = effect { answer } else { nil }
        }
    }

    @Test mutating func `the present state is the answer, and each change an event`() {
        receiveState(1)
        receiveState(2, .event)
        #expect(client.answers == [observe: .report(.leader(state(1)))])
        #expect(events == [.report(.leader(state(2)))])
    }

    @Test mutating func `after a reconnection the present state is an event`() throws {
        receiveState(1)
        client.step(.disconnected(reason: "reset"))
        client.reconnect()
        #expect(try client.sentTypes() == [.hello, .resume, .observeLeader])
        receiveState(3)
        #expect(events == [.report(.leader(state(3))), .report(.assured)])
    }

    @Test mutating func `a daemon that knows less after a reconnection tells nothing older`() {
        receiveState(5)
        client.step(.disconnected(reason: "reset"))
        client.reconnect()
        receiveState(3)
        receiveState(4, .event)
        let doubt = ClientCore.Answer.report(.doubtful(reason: "reset"))
        #expect(events == [doubt])
        receiveState(6, .event)
        #expect(events == [doubt, .report(.leader(state(6))), .report(.assured)])
    }

    @Test mutating func `a subscription that was cut begins anew`() throws {
        receiveState(1)
        _ = client.take()
        client.receiveError(
            Refusal(.unavailable, "resync"), .observeLeader, number: 1, [.event, .error, .last])
        #expect(try client.sentTypes() == [.observeLeader])
        receiveState(4)
        #expect(events == [.report(.leader(state(4)))])
    }

    @Test mutating func `a cancelled subscription is unsubscribed and says no more`() throws {
        receiveState(1)
        _ = client.take()
        client.cancel(observe)
        #expect(try client.sentTypes() == [.unsubscribe])
        receiveState(2, .event)
        #expect(client.take() == [])
    }

    @Test mutating func `a question that nobody waits for any more is taken back`() throws {
        let status = client.query(.status, within: .seconds(1))
        let why = client.query(.objects(ObjectQuery(.why(slot))), within: .seconds(1))
        _ = client.take()
        client.advance(.seconds(2))
        #expect(Set(client.answers.keys) == [status, why])
        #expect(try client.sentTypes() == [.unsubscribe])
    }

    @Test mutating func `views found after a reconnection are told only if they are new`() {
        let follow = client.query(.views(follow: true))
        let views = (1...3).map { epoch in
            ViewReport(
                epoch: Epoch(UInt64(epoch)), at: .zero, members: [], joined: [], departed: [])
        }
        client.receive(.views, number: 2) {
            $0.list(Array(views[..<2])) { $0.encode(into: &$1) }
        }
        #expect(client.answers[follow] == .report(.views(Array(views[..<2]))))
        client.step(.disconnected(reason: "reset"))
        client.reconnect()
        client.receive(.views, number: 2) { $0.list(views) { $0.encode(into: &$1) } }
        #expect(events == [.report(.view(views[2]))])
    }

    @Test mutating func `a subscription whose session is lost ends with the reason`() {
        receiveState(1)
        client.advance(.seconds(5))
        #expect(events == [.failed(.sessionLost(.deadlinePassed))])
    }

    private mutating func receive(isServing: Bool) {
        client.receive(.serving, .event) {
            ServingState(isServing: isServing, reason: isServing ? "" : "no majority")
                .encode(into: &$0)
        }
    }

    @Test mutating func `while the daemon does not serve it is in doubt, and told so once`() {
        receiveState(5)
        receive(isServing: false)
        receive(isServing: false)
        receive(isServing: true)
        #expect(
            events == [.report(.doubtful(reason: "no majority")), .report(.assured)])
    }

    @Test mutating func `it is in doubt without a daemon, until one has told the state`() {
        receiveState(5)
        client.step(.disconnected(reason: "reset"))
        #expect(events == [.report(.doubtful(reason: "reset"))])
        client.reconnect()
        #expect(events == [.report(.doubtful(reason: "reset"))])
        receiveState(5)
        #expect(
            events == [
                .report(.doubtful(reason: "reset")), .report(.leader(state(5))), .report(.assured),
            ])
    }

    @Test mutating func `where nobody serves the doubt comes before the state`() {
        receive(isServing: false)
        #expect(client.answers == [:])
        receiveState(5)
        #expect(client.answers == [observe: .report(.doubtful(reason: "no majority"))])
        #expect(events == [.report(.leader(state(5)))])
    }
}
