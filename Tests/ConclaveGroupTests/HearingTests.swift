import ConclaveBase
import ConclaveGroup
import Testing

@Suite struct `The hearing` {
    private let peer = NodeID(2)
    private let window = Interval.milliseconds(400)
    private var hearing = Hearing(window: .milliseconds(400))

    private func at(_ milliseconds: UInt64) -> Instant {
        Instant(nanoseconds: milliseconds * 1_000_000)
    }

    private mutating func answer(sent: UInt64, at now: UInt64) {
        hearing.heard(peer, nonce: at(sent).nanoseconds, now: at(now))
    }

    private func steady(_ now: UInt64) -> Interval? {
        hearing.steadyFor(peer, now: at(now))
    }

    @Test mutating func `an answer to a ping from before the start shows nothing`() {
        answer(sent: 90, at: 110)
        #expect(!hearing.hears(peer, sentSince: at(100), window: window, now: at(120)))
        answer(sent: 100, at: 130)
        #expect(hearing.hears(peer, sentSince: at(100), window: window, now: at(140)))
    }

    @Test mutating func `an answer counts for the window and no longer`() {
        answer(sent: 100, at: 130)
        #expect(hearing.hears(peer, sentSince: at(100), window: window, now: at(530)))
        #expect(!hearing.hears(peer, sentSince: at(100), window: window, now: at(531)))
    }

    @Test mutating func `an answer to a ping that was never sent counts nothing`() {
        answer(sent: 500, at: 130)
        #expect(!hearing.hears(peer, sentSince: at(100), window: window, now: at(600)))
        #expect(steady(600) == nil)
    }

    @Test mutating func `a broken path is measured anew`() {
        answer(sent: 100, at: 130)
        hearing.broken(peer)
        #expect(!hearing.hears(peer, sentSince: at(100), window: window, now: at(140)))
    }

    @Test mutating func `V23: steadiness is counted from the first answer after a pause`() {
        for now in stride(from: 100 as UInt64, through: 900, by: 200) {
            answer(sent: now - 10, at: now)
        }
        #expect(steady(1_000) == .milliseconds(790))
        #expect(steady(1_301) == nil)
        answer(sent: 1_390, at: 1_400)
        #expect(steady(1_500) == .zero)
    }

    @Test mutating func `V23: a pause in which nobody asked is one all the same`() {
        answer(sent: 90, at: 100)
        answer(sent: 5_000, at: 5_010)
        #expect(steady(5_020) == .zero)
    }

    @Test mutating func `V23: pings of a break that are answered behind it make nothing steady`() {
        answer(sent: 90, at: 100)
        for sent in stride(from: 600 as UInt64, through: 5_000, by: 400) {
            answer(sent: sent, at: 5_010)
        }
        #expect(steady(5_020) == .zero)
        answer(sent: 5_200, at: 5_210)
        #expect(steady(5_220) == .milliseconds(190))
    }
}
