import ConclaveBase
import ConclaveGroup
import Testing

@Suite struct `Shared state table` {
    private let layout = RowLayout(memberCount: 3, slotCount: 4, slotByteCount: 13)

    @Test func `columns do not overlap, and slots begin at multiples of eight`() {
        var starts = [layout.heartbeat, layout.wallClock, layout.sent, layout.messages]
        starts += (0..<3).map(layout.echo) + (0..<3).map(layout.acked) + [layout.delivered]
        #expect(Set(starts).count == starts.count)
        #expect(starts.max() == layout.ring - 8)
        #expect(layout.slotByteCount == 16)
        #expect((0..<5).map { layout.slot(of: $0) - layout.ring } == [0, 40, 80, 120, 0])
        #expect(layout.rowByteCount == layout.ring + 160)
        #expect(layout.pulse.upperBound == layout.counters.lowerBound)
    }

    @Test func `a fresh table holds no message at any index`() {
        let table = SharedStateTable(layout: layout, own: Rank(1))
        for row in 0..<3 {
            for index in 0..<8 as Range<UInt64> { #expect(!table.carries(index, row: row)) }
            #expect(table.value(row: row, at: layout.delivered) == 0)
        }
    }

    @Test func `a slot carries its index and no other of the same place`() throws {
        let table = SharedStateTable(layout: layout, own: Rank(1))
        let range = table.fillSlot(
            index: 6, timestamp: Timestamp(microseconds: 9), payload: [1, 2, 3])
        #expect(range == layout.slot(of: 6)..<(layout.slot(of: 6) + 27))
        #expect(table.carries(6, row: 1))
        #expect(!table.carries(2, row: 1))
        #expect(!table.carries(6, row: 0))
        let message = try #require(table.message(6, row: 1))
        #expect(message.payload == [1, 2, 3])
        #expect(message.timestamp == Timestamp(microseconds: 9))
    }

    @Test func `a peer's write lands in the same place of its row`() {
        let mine = SharedStateTable(layout: layout, own: Rank(0))
        let theirs = SharedStateTable(layout: layout, own: Rank(2))
        theirs.advance(layout.acked(1), to: 77)
        var bytes: [UInt8] = []
        theirs.withOwn(layout.counters) { bytes = Array($0) }
        #expect(mine.receive(bytes, row: 2, offset: layout.counters.lowerBound))
        #expect(mine.value(row: 2, at: layout.acked(1)) == 77)
        #expect(mine.value(row: 1, at: layout.acked(1)) == 0)
    }

    @Test(arguments: [(-1, 8), (0, 300), (249, 0), (248, 1), (Int.max, 1), (Int.min, 1)])
    func `a write that does not fit the row is refused`(offset: Int, byteCount: Int) {
        let table = SharedStateTable(layout: layout, own: Rank(0))
        #expect(layout.rowByteCount == 248)
        let bytes = [UInt8](repeating: 0xFF, count: byteCount)
        #expect(!table.receive(bytes, row: 1, offset: offset))
        #expect(table.receive([1], row: 1, offset: 247))
    }

    @Test func `a number of the own row never falls`() async {
        await #expect(processExitsWith: .failure) {
            let table = SharedStateTable(
                layout: RowLayout(memberCount: 1, slotCount: 1, slotByteCount: 8), own: Rank(0))
            table.advance(16, to: 5)
            table.advance(16, to: 4)
        }
    }
}
