import ConclaveBase
import ConclaveGroup
import Testing

@Suite struct `The multicast` {
    @Test(arguments: 1...5)
    func `every member delivers the same messages in order of position`(count: Int) {
        var epoch = TestEpoch(count: count)
        for rank in (0..<count).reversed() {
            epoch.send("a\(rank)", from: rank)
            epoch.send("b\(rank)", from: rank)
        }
        epoch.turns()
        let expected = (0..<count).map { "a\($0)" } + (0..<count).map { "b\($0)" }
        for rank in 0..<count { #expect(epoch.texts(rank) == expected) }
        #expect(epoch.delivered[0].map(\.ordinal) == (0..<count * 2).map { UInt64($0 / count) })
    }

    @Test(arguments: 2...5, [1, 2, 3] as [UInt64])
    func `under random turns one sequence is a prefix of the other`(count: Int, seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var epoch = TestEpoch(count: count)
        var sent = 0
        for _ in 0..<600 {
            let rank = Int(random.below(UInt64(count)))
            switch random.below(4) {
            case 0 where epoch.members[rank].canSend:
                epoch.send("\(sent)", from: rank)
                sent += 1
            case 1:
                epoch.isHeld.insert([rank, Int(random.below(UInt64(count)))])
            case 2:
                let other = Int(random.below(UInt64(count)))
                if other != rank { epoch.release(from: rank, to: other) }
            default: epoch.turn(rank)
            }
        }
        for rank in 0..<count {
            for other in 0..<count where other != rank { epoch.release(from: rank, to: other) }
        }
        epoch.turns(20)
        #expect(sent > 20)
        #expect(epoch.delivered[0].count == sent)
        for rank in 1..<count { #expect(epoch.delivered[rank] == epoch.delivered[0]) }
    }

    @Test func `V9: a message that one member has not acknowledged is not delivered`() {
        var epoch = TestEpoch(count: 3)
        epoch.send("x", from: 0)
        for _ in 0..<3 {
            epoch.turn(0)
            epoch.turn(1)
            epoch.turn(2, acknowledges: false)
        }
        #expect(epoch.delivered == [[], [], []])
        #expect(epoch.members[0].stableFrontier() == [0, 0, 0])
        #expect(epoch.members[0].isBehind(2))
        #expect(!epoch.members[0].isBehind(1))
        epoch.turns()
        #expect(epoch.texts(0) == ["x"])
        #expect(epoch.texts(2) == ["x"])
        #expect(!epoch.members[0].isBehind(2))
    }

    @Test func `V9: a member that has said nothing holds up those after it`() {
        var epoch = TestEpoch(count: 2)
        epoch.send("x", from: 1)
        epoch.push(from: 1)
        // Rank 0 has neither sent nor passed its first index.
        var found: [OrderedMessage] = []
        _ = epoch.members[0].scan(1, into: &found)
        epoch.members[0].acknowledge([0, 1])
        epoch.push(from: 0)
        epoch.members[1].acknowledge([0, 1])
        epoch.members[1].deliver(into: &epoch.delivered[1])
        #expect(found.count == 1)
        #expect(epoch.delivered[1].isEmpty)
    }

    @Test func `V7: nulls let the others pass, and never answer nulls`() {
        var epoch = TestEpoch(count: 3)
        epoch.send("x", from: 1)
        epoch.turns()
        // Rank 0 precedes the message and fills its place; rank 2 comes after it and need not.
        #expect(epoch.members[0].table.value(row: 0, at: 16 + 8 * 3) == 1)
        #expect(epoch.members[2].table.value(row: 2, at: 16 + 8 * 3) == 0)
        epoch.turns()
        for rank in 0..<3 {
            #expect(!epoch.members[rank].countersAreDirty)
            #expect(epoch.members[rank].dirtySlots.isEmpty)
            #expect(epoch.texts(rank) == ["x"])
        }
    }

    @Test func `what nobody waits for goes with a heartbeat, or while the ring has room`() {
        var epoch = TestEpoch(count: 2, slotCount: 8)
        for text in ["a", "b"] { epoch.send(text, from: 0) }
        epoch.push(from: 0)
        var found: [OrderedMessage] = []
        _ = epoch.members[1].scan(0, into: &found)
        // Rank 1 comes after them, but for the first one.
        epoch.members[1].sendNulls()
        #expect(!epoch.members[1].countersAreDirty)
        epoch.members[0].acknowledge([2, 0])
        epoch.members[1].acknowledge([2, 0])
        #expect(epoch.members[1].countersAreDirty)
        epoch.push(from: 0)
        epoch.push(from: 1)
        epoch.members[1].deliver(into: &epoch.delivered[1])
        #expect(epoch.texts(1) == ["a", "b"])
        #expect(!epoch.members[1].countersAreDirty)
        epoch.members[1].beat()
        #expect(epoch.members[1].countersAreDirty)
        epoch.push(from: 1)
        // A quarter of the ring: now whoever sends may wait for it.
        for text in ["c", "d"] { epoch.send(text, from: 0) }
        epoch.turn(0)
        epoch.turn(1, delivers: false)
        epoch.members[1].deliver(into: &epoch.delivered[1])
        #expect(epoch.texts(1) == ["a", "b", "c", "d"])
        #expect(epoch.members[1].countersAreDirty)
    }

    @Test func `nulls are passed without an acknowledgement and cost no ordinal`() {
        var epoch = TestEpoch(count: 2)
        for text in ["a", "b", "c"] { epoch.send(text, from: 1) }
        epoch.turns()
        epoch.send("d", from: 0)
        epoch.turns()
        #expect(epoch.texts(1) == ["a", "b", "c", "d"])
        #expect(epoch.delivered[1].last?.ordinal == 0)
        #expect(epoch.delivered[1].last?.index == 3)
    }

    @Test func `V4: a slot is reused only once every member has delivered what was in it`() {
        var epoch = TestEpoch(count: 2, slotCount: 2)
        epoch.send("a", from: 0)
        epoch.send("b", from: 0)
        #expect(!epoch.members[0].canSend)
        epoch.turn(0)
        epoch.turn(1, delivers: false)
        epoch.turn(0)
        // Rank 1 has acknowledged both, and delivered neither.
        #expect(epoch.texts(0) == ["a", "b"])
        #expect(!epoch.members[0].canSend)
        epoch.turn(1)
        epoch.turn(0)
        #expect(epoch.members[0].canSend)
        epoch.send("c", from: 0)
        epoch.turns()
        #expect(epoch.texts(1) == ["a", "b", "c"])
    }

    @Test func `V5: a message that looks like a null breaks the path and is not acknowledged`() {
        var epoch = TestEpoch(count: 2)
        epoch.send("lost", from: 0)
        let counters = epoch.members[0].counters
        epoch.members[0].pushed()
        epoch.write(counters, from: 0, to: 1)
        var found: [OrderedMessage] = []
        let isWhole = epoch.members[1].scan(0, into: &found)
        #expect(!isWhole)
        #expect(found.isEmpty)
        #expect(epoch.members[1].received == [0, 0])
        epoch.members[1].deliver(into: &epoch.delivered[1])
        #expect(epoch.delivered[1].isEmpty)
    }

    @Test func `V5: a slot whose length cannot be breaks the path`() {
        var epoch = TestEpoch(count: 2)
        epoch.send("x", from: 0)
        var slot: [UInt8] = []
        epoch.members[0].table.withOwn(epoch.members[0].dirtySlots[0]) { slot = Array($0) }
        slot.replaceSubrange(16..<24, with: Array(repeating: 0xFF, count: 8))
        let offset = epoch.members[0].dirtySlots[0].lowerBound
        #expect(epoch.members[1].table.receive(slot, row: 0, offset: offset))
        epoch.write(epoch.members[0].counters, from: 0, to: 1)
        var found: [OrderedMessage] = []
        let isWhole = epoch.members[1].scan(0, into: &found)
        #expect(!isWhole)
        #expect(epoch.members[1].received == [0, 0])
    }

    @Test func `a leap of the sent counter breaks the path at once`() {
        let epoch = TestEpoch(count: 2)
        let sent = epoch.members[1].counters.lowerBound
        #expect(
            epoch.members[1].table.receive(
                Array(repeating: 0xFF, count: 8), row: 0, offset: sent))
        var found: [OrderedMessage] = []
        let isWhole = epoch.members[1].scan(0, into: &found)
        #expect(!isWhole)
    }

    @Test func `V2: the whole row brings a peer that is ready late level`() {
        var epoch = TestEpoch(count: 2)
        epoch.send("a", from: 0)
        epoch.send("b", from: 0)
        epoch.members[0].pushed()
        for range in epoch.members[0].wholeRow { epoch.write(range, from: 0, to: 1) }
        epoch.turns()
        #expect(epoch.texts(1) == ["a", "b"])
    }

    @Test func `what is received and not delivered is held when the epoch ends`() {
        var epoch = TestEpoch(count: 3)
        epoch.send("a", from: 0)
        epoch.turns()
        epoch.send("b", from: 0)
        epoch.send("c", from: 2)
        epoch.push(from: 0)
        epoch.push(from: 2)
        var found: [OrderedMessage] = []
        _ = epoch.members[1].scan(0, into: &found)
        _ = epoch.members[1].scan(2, into: &found)
        var held = epoch.members[1].undelivered()
        #expect(held.delivered == [1, 0, 0])
        #expect(held.vector == [2, 0, 1])
        let order = held.deliver(below: [2, 0, 1])
        #expect(order == found.sorted { $0.position(memberCount: 3) < $1.position(memberCount: 3) })
    }
}
