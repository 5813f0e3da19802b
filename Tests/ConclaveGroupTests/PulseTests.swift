import ConclaveBase
import ConclaveGroup
import Testing

@Suite struct `The pulse` {
    private static let start = Instant(nanoseconds: 1_000)

    private func at(_ nanoseconds: UInt64) -> Instant { Instant(nanoseconds: nanoseconds) }

    /// Copies what `from` has pushed into the others' tables.
    private func copy(_ tables: [SharedStateTable], from: Int) {
        var bytes: [UInt8] = []
        tables[from].withOwn(tables[from].layout.pulse) { bytes = Array($0) }
        for (rank, table) in tables.enumerated() where rank != from {
            #expect(table.receive(bytes, row: from, offset: 0))
        }
    }

    private func group(_ count: Int) -> (tables: [SharedStateTable], pulses: [Pulse]) {
        let layout = RowLayout(memberCount: count, slotCount: 1, slotByteCount: 8)
        let tables = (0..<count).map { SharedStateTable(layout: layout, own: Rank($0)) }
        let pulses = tables.map { Pulse(table: $0, quorum: count / 2 + 1, now: Self.start) }
        return (tables, pulses)
    }

    /// Whom it is to be pushed to.
    private func due(_ pulse: Pulse) -> [Int] {
        var ranks = pulse.isDue
        return Array(sequence(state: ()) { _ in ranks.popFirst() })
    }

    @Test(arguments: 2...5)
    func `a heartbeat is confirmed once a majority has echoed it`(count: Int) {
        let (tables, pulses) = group(count)
        pulses[0].beat(now: at(5_000), wallClock: .zero)
        copy(tables, from: 0)
        for rank in 1..<count {
            pulses[rank].scan(0, now: at(5_100))
            #expect(pulses[rank].lastEchoed[0] == at(5_100))
            copy(tables, from: rank)
            let isMajority = rank + 1 >= count / 2 + 1
            #expect(pulses[0].confirmed(now: at(5_200)) == (isMajority ? at(5_000) : nil))
        }
    }

    @Test func `the newest that a majority has echoed counts, not the newest of one`() {
        let (tables, pulses) = group(5)
        for (beat, rank) in [(2_000, 1), (3_000, 2), (4_000, 3)] as [(UInt64, Int)] {
            pulses[0].beat(now: at(beat), wallClock: .zero)
            copy(tables, from: 0)
            pulses[rank].scan(0, now: at(beat + 1))
            copy(tables, from: rank)
        }
        #expect(pulses[0].confirmed(now: at(9_000)) == at(3_000))
    }

    @Test func `alone everything is confirmed at once`() {
        let (_, pulses) = group(1)
        #expect(pulses[0].confirmed(now: at(7)) == at(7))
    }

    @Test func `an echo from the future is no promise`() {
        let (tables, pulses) = group(2)
        var bytes = [UInt8](repeating: 0, count: tables[0].layout.pulse.count)
        bytes.replaceSubrange(16..<24, with: [UInt8](repeating: 0xFF, count: 8))
        #expect(tables[0].receive(bytes, row: 1, offset: 0))
        #expect(pulses[0].confirmed(now: at(6_000)) == at(6_000))
    }

    @Test func `a heartbeat that did not grow is neither heard nor echoed`() {
        let (tables, pulses) = group(2)
        pulses[0].beat(now: at(2_000), wallClock: .zero)
        copy(tables, from: 0)
        pulses[1].scan(0, now: at(2_100))
        pulses[1].pushed()
        pulses[1].scan(0, now: at(9_000))
        #expect(pulses[1].lastHeard[0] == at(2_100))
        #expect(pulses[1].isDue.isEmpty)
    }

    @Test func `a heartbeat goes to everybody, and an echo to whom it answers`() {
        let (tables, pulses) = group(3)
        pulses[1].beat(now: at(2_000), wallClock: .zero)
        #expect(due(pulses[1]) == [0, 1, 2])
        pulses[1].pushed()
        #expect(due(pulses[1]) == [])
        pulses[0].beat(now: at(3_000), wallClock: .zero)
        copy(tables, from: 0)
        pulses[1].scan(0, now: at(3_100))
        #expect(due(pulses[1]) == [0])
    }

    @Test func `heartbeats grow though the clock stands, and a wall clock that was put back falls`()
    {
        let (tables, pulses) = group(2)
        pulses[0].beat(now: at(2_000), wallClock: Timestamp(microseconds: 9))
        pulses[0].beat(now: at(2_000), wallClock: Timestamp(microseconds: 3))
        #expect(tables[0].value(row: 0, at: 0) == 2_001)
        #expect(tables[0].value(row: 0, at: 8) == 3)
    }

    @Test func `a wrong wall clock is not the median, nor is that of one who was not heard`() {
        let (tables, pulses) = group(5)
        let own = Timestamp(microseconds: 50)
        #expect(pulses[0].medianWallClock(own: own) == nil)
        for (rank, clock) in [(1, 60), (2, 1_000_000), (3, 40)] as [(Int, UInt64)] {
            #expect((pulses[0].medianWallClock(own: own) == nil) == (rank < 3))
            pulses[rank].beat(now: at(5_000), wallClock: Timestamp(microseconds: clock))
            copy(tables, from: rank)
        }
        #expect(pulses[0].medianWallClock(own: own) == Timestamp(microseconds: 50))
        let wrong = Timestamp(microseconds: 9_000_000)
        #expect(pulses[0].medianWallClock(own: wrong) == Timestamp(microseconds: 60))
    }

    @Test func `two wall clocks have no median`() {
        let (tables, pulses) = group(2)
        pulses[1].beat(now: at(5_000), wallClock: Timestamp(microseconds: 60))
        copy(tables, from: 1)
        #expect(pulses[0].medianWallClock(own: .zero) == nil)
    }
}
