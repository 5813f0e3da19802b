import ConclaveBase
import ConclaveClientCore
import ConclaveWire
import Testing

@Suite struct `Validity` {
    private var client = TestClient()

    init() {
        client.open()
    }

    @Test mutating func `a deadline that has passed is final (K5)`() throws {
        let call = client.call(try lock("a"))
        _ = client.take()
        client.advance(.milliseconds(4_950))
        #expect(client.answers == [call: .failed(.sessionLost(.deadlinePassed))])
        #expect(client.states == [.lost(.deadlinePassed)])
        _ = client.take()

        client.validity = client.now.advanced(by: .seconds(5))
        client.receiveReply(try grant("a", 5), to: 1)
        client.advance(.seconds(1))
        #expect(client.take() == [])
        let late = client.call(try lock("b"))
        #expect(client.answers == [late: .failed(.sessionLost(.deadlinePassed))])
        #expect(client.core.nextTick == .distantFuture)
    }

    @Test mutating func `a grant that comes with a passed deadline is not told`() throws {
        let call = client.call(try lock("a"))
        client.now = client.now.advanced(by: .seconds(5))
        client.receiveReply(try grant("a", 5), to: 1)
        #expect(client.answers == [call: .failed(.sessionLost(.deadlinePassed))])
    }

    @Test mutating func `the core looks at the page before it can be too late`() {
        #expect(client.core.nextTick <= client.now.advanced(by: .milliseconds(4_950)))
    }

    @Test mutating func `a daemon that stays away costs the session at the deadline`() throws {
        let sent = client.call(try lock("a"))
        client.step(.disconnected(reason: "reset"))
        let unsent = client.call(try lock("b"))
        #expect(client.states.count == 1)
        guard case .jeopardy(let until, "reset")? = client.states.first else {
            Issue.record("\(client.states)")
            return
        }
        #expect(until == client.validity)
        client.advance(.milliseconds(4_950))
        #expect(
            client.answers == [
                sent: .failed(.outcomeUnknown), unsent: .failed(.unavailable("reset")),
            ])
        #expect(client.states.last == .lost(.daemonGone("reset")))
    }

    @Test mutating func `C9: a change of the members that was sent may have happened`() {
        let wish = client.query(.removeMember(NodeID(2)))
        client.advance(.milliseconds(4_950))
        #expect(client.answers[wish] == .failed(.outcomeUnknown))
    }

    @Test mutating func `without a page the ttl counts from the end of the connection`() {
        client.validity = nil
        client.advance(.seconds(60))
        #expect(client.states == [])
        client.step(.disconnected(reason: "reset"))
        client.advance(.milliseconds(4_999))
        #expect(client.states.count == 1)
        client.advance(.milliseconds(1))
        #expect(client.states.last == .lost(.daemonGone("reset")))
    }

    @Test mutating func `a resumed session is healthy again`() {
        client.step(.disconnected(reason: "reset"))
        client.now = client.core.nextTick
        client.reconnect()
        client.validity = client.now.advanced(by: .seconds(4))
        client.step(.tick)
        #expect(client.states.last == .healthy)
        #expect(client.states.count == 2)
    }

    @Test mutating func `a daemon outside the majority is jeopardy, and so is one that hangs`() {
        client.receive(.serving, .event) {
            ServingState(isServing: false, reason: "no majority").encode(into: &$0)
        }
        #expect(
            client.states == [.jeopardy(until: client.validity!, reason: "no majority")])
        client.receive(.serving, .event) {
            ServingState(isServing: true, reason: "").encode(into: &$0)
        }
        #expect(client.states.last == .healthy)
        _ = client.take()
        client.now = client.core.nextTick
        client.step(.tick)
        #expect(client.states.count == 1)
        guard case .jeopardy? = client.states.first else {
            Issue.record("\(client.states)")
            return
        }
    }

    @Test mutating func `the end of the session is told with its reason`() throws {
        let call = client.call(try lock("a"))
        client.validity = .distantPast
        client.receive(.sessionEnded, .event) { $0.integer(SessionEnd.expired.rawValue) }
        #expect(client.answers == [call: .failed(.sessionLost(.ended(.expired)))])
        #expect(client.states == [.lost(.ended(.expired))])
    }
}
