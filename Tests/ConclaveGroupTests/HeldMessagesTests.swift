import ConclaveBase
import ConclaveGroup
import Testing

@Suite struct `Held messages` {
    private func message(_ sender: Int, _ ordinal: UInt64, index: UInt64) -> OrderedMessage {
        OrderedMessage(
            sender: sender, index: index, ordinal: ordinal, timestamp: .zero,
            payload: [UInt8(truncatingIfNeeded: sender), UInt8(ordinal)])
    }

    private func append(_ message: OrderedMessage, to held: inout HeldMessages, isTaken: Bool) {
        let result = held.append(message)
        #expect(result == isTaken)
    }

    @Test func `a gap is refused, what is held already is ignored`() {
        var held = HeldMessages(delivered: [4, 0])
        append(message(0, 5, index: 9), to: &held, isTaken: false)
        append(message(0, 4, index: 7), to: &held, isTaken: true)
        append(message(0, 4, index: 7), to: &held, isTaken: true)
        append(message(0, 3, index: 6), to: &held, isTaken: true)
        append(message(0, 5, index: 9), to: &held, isTaken: true)
        append(message(2, 0, index: 0), to: &held, isTaken: false)
        append(message(-1, 0, index: 0), to: &held, isTaken: false)
        #expect(held.vector == [6, 0])
        #expect(held.count == 2)
    }

    @Test func `what is held beyond a delivered message stays`() {
        var held = HeldMessages(delivered: [0, 4])
        _ = held.append(message(0, 0, index: 3))
        _ = held.append(message(0, 1, index: 4))
        held.deliverNext(of: 0)
        held.deliverNext(of: 1)
        #expect(held.delivered == [1, 5])
        #expect(held.vector == [2, 5])
        #expect(held.deliver(below: [2, 5]).map(\.ordinal) == [1])
    }

    @Test func `V20: what lies below the trim is delivered in order, the rest discarded`() {
        var held = HeldMessages(delivered: [0, 0])
        _ = held.append(message(0, 0, index: 3))
        _ = held.append(message(0, 1, index: 4))
        _ = held.append(message(1, 0, index: 1))
        _ = held.append(message(1, 1, index: 3))
        let delivered = held.deliver(below: [1, 2])
        #expect(delivered.map(\.payload) == [[1, 0], [0, 0], [1, 1]])
        #expect(held.vector == [1, 2])
        #expect(held.count == 0)
    }

    @Test func `a trim below what was delivered takes nothing back`() {
        var held = HeldMessages(delivered: [3])
        let delivered = held.deliver(below: [1])
        #expect(delivered.isEmpty)
        #expect(held.delivered == [3])
    }

    @Test func `ranges are cut to what is held`() {
        var held = HeldMessages(delivered: [2])
        for ordinal in 2..<5 as Range<UInt64> {
            _ = held.append(message(0, ordinal, index: ordinal))
        }
        #expect(held.messages(of: 0, in: 0..<4).map(\.ordinal) == [2, 3])
        #expect(held.messages(of: 0, in: 3..<9).map(\.ordinal) == [3, 4])
        #expect(held.messages(of: 0, in: 0..<2).isEmpty)
        #expect(held.messages(of: 0, in: 5..<7).isEmpty)
    }

    @Test func `a range that no history reaches is empty`() {
        var held = HeldMessages(delivered: [0])
        _ = held.append(message(0, 0, index: 0))
        #expect(held.messages(of: 0, in: (UInt64.max - 1)..<UInt64.max).isEmpty)
        #expect(held.messages(of: 0, in: 0..<UInt64.max).count == 1)
    }
}
