import ConclaveBase
import ConclaveSimulation
import ConclaveWire
import Testing

/// Stories of a barrier for two, whose parties bring payloads 1, 2, ….
@Suite struct `Barrier histories` {
    private var story = HistoryBuilder()

    init() {
        story.open(1, 2, 3)
    }

    private mutating func expect(_ promise: ContractPromise?) throws {
        #expect(try story.broken() == promise)
    }

    private mutating func bothArrive() {
        story.call(1, 1, .arrive(1))
        story.call(2, 1, .arrive(2))
    }

    // MARK: - Right

    @Test mutating func `it trips for both`() throws {
        bothArrive()
        story.answer(1, 1, .tripped(5, rank: 0, 1, 2))
        story.answer(2, 1, .tripped(5, rank: 1, 1, 2))
        try expect(nil)
    }

    @Test mutating func `generation after generation`() throws {
        for generation in UInt64(1)...3 {
            let (first, second) = (UInt8(2 * generation), UInt8(2 * generation + 1))
            story.call(1, generation, .arrive(first))
            story.call(2, generation, .arrive(second))
            story.answer(2, generation, .tripped(generation, rank: 1, first, second))
            story.answer(1, generation, .tripped(generation, rank: 0, first, second))
        }
        try expect(nil)
    }

    @Test mutating func `one is on to the next before the other was told`() throws {
        bothArrive()
        story.answer(1, 1, .tripped(5, rank: 0, 1, 2))
        story.call(1, 2, .arrive(3))
        story.answer(2, 1, .tripped(5, rank: 1, 1, 2))
        story.call(2, 2, .arrive(4))
        story.answer(2, 2, .tripped(6, rank: 1, 3, 4))
        story.answer(1, 2, .tripped(6, rank: 0, 3, 4))
        try expect(nil)
    }

    @Test mutating func `it breaks for both when one gives up`() throws {
        story.call(1, 1, .arrive(1, of: 3))
        story.call(2, 1, .arrive(2, of: 3))
        story.giveUp(2, 1)
        story.answer(1, 1, .broken(5))
        story.answer(2, 1, .broken(5))
        try expect(nil)
    }

    @Test mutating func `one gives up once more after the other was told`() throws {
        bothArrive()
        story.giveUp(2, 1)
        story.answer(1, 1, .broken(5, .timedOut))
        story.giveUp(2, 1)
        story.answer(2, 1, .broken(5, .timedOut))
        try expect(nil)
    }

    @Test mutating func `it breaks for who lives when one dies`() throws {
        story.call(1, 1, .arrive(1, of: 3))
        story.call(2, 1, .arrive(2, of: 3))
        story.die(2)
        story.answer(1, 1, .broken(5, .partyEnded))
        try expect(nil)
    }

    @Test mutating func `one who died before it was told had come`() throws {
        bothArrive()
        story.die(2)
        story.answer(1, 1, .tripped(5, rank: 0, 1, 2))
        try expect(nil)
    }

    @Test mutating func `it trips just before the one who gives up`() throws {
        bothArrive()
        story.giveUp(2, 1)
        story.answer(1, 1, .tripped(5, rank: 0, 1, 2))
        story.answer(2, 1, .tripped(5, rank: 1, 1, 2))
        try expect(nil)
    }

    @Test mutating func `it trips after it broke`() throws {
        story.call(1, 1, .arrive(1))
        story.giveUp(1, 1)
        story.answer(1, 1, .broken(5))
        story.call(1, 2, .arrive(3))
        story.call(2, 1, .arrive(2))
        story.answer(1, 2, .tripped(6, rank: 1, 2, 3))
        story.answer(2, 1, .tripped(6, rank: 0, 2, 3))
        try expect(nil)
    }

    @Test mutating func `two name different counts`() throws {
        story.call(1, 1, .arrive(1, of: 3))
        story.call(2, 1, .arrive(2))
        story.answer(1, 1, .broken(5, .disagreement))
        story.answer(2, 1, .broken(5, .disagreement))
        try expect(nil)
    }

    @Test mutating func `two barriers know nothing of each other`() throws {
        story.call(1, 1, .arrive(1, of: 1), "a")
        story.answer(1, 1, .tripped(9, rank: 0, 1))
        story.call(2, 1, .arrive(2, of: 1), "b")
        story.answer(2, 1, .tripped(5, rank: 0, 2))
        try expect(nil)
    }

    @Test mutating func `who names a generation may come after it`() throws {
        story.run(1, 1, .arrive(1, of: 1), .tripped(5, rank: 0, 1))
        let again = HistoryCall.Action.arrive(
            parties: 1, rank: nil, generation: 5, payload: [9])
        story.run(1, 2, again, .tripped(5, rank: 0, 1))
        try expect(nil)
    }

    @Test mutating func `an arrival that was never answered may count`() throws {
        story.call(3, 1, .arrive(3))
        story.call(1, 1, .arrive(1))
        story.answer(1, 1, .tripped(5, rank: 1, 3, 1))
        try expect(nil)
    }

    // MARK: - Wrong

    @Test mutating func `it trips for one and breaks for the other`() throws {
        bothArrive()
        story.giveUp(2, 1)
        story.answer(1, 1, .tripped(5, rank: 0, 1, 2))
        story.answer(2, 1, .broken(5))
        try expect(.barriers)
    }

    @Test mutating func `two are told of different parties`() throws {
        bothArrive()
        story.answer(1, 1, .tripped(5, rank: 0, 1, 3))
        story.answer(2, 1, .tripped(5, rank: 1, 1, 2))
        try expect(.barriers)
    }

    @Test mutating func `two have the same rank`() throws {
        story.call(1, 1, .arrive(1))
        story.call(2, 1, .arrive(1))
        story.answer(1, 1, .tripped(5, rank: 0, 1, 1))
        story.answer(2, 1, .tripped(5, rank: 0, 1, 1))
        try expect(.barriers)
    }

    @Test mutating func `one is told another's rank`() throws {
        bothArrive()
        story.answer(1, 1, .tripped(5, rank: 1, 1, 2))
        try expect(.barriers)
    }

    @Test mutating func `it trips with one too few`() throws {
        story.run(1, 1, .arrive(1, of: 2), .tripped(5, rank: 0, 1))
        try expect(.barriers)
    }

    @Test mutating func `it trips before the other has come`() throws {
        story.run(1, 1, .arrive(1), .tripped(5, rank: 0, 1, 2))
        story.run(2, 1, .arrive(2), .tripped(5, rank: 1, 1, 2))
        try expect(.barriers)
    }

    @Test mutating func `it trips with one who came only later and was never told`() throws {
        story.run(1, 1, .arrive(1), .tripped(5, rank: 0, 1, 2))
        story.call(2, 1, .arrive(2))
        try expect(.barriers)
    }

    @Test mutating func `one arrival counts in two generations`() throws {
        bothArrive()
        story.answer(1, 1, .tripped(5, rank: 0, 1, 2))
        story.call(1, 2, .arrive(3))
        story.answer(1, 2, .tripped(6, rank: 0, 3, 2))
        try expect(.exactlyOnce)
    }

    @Test mutating func `generations go back`() throws {
        story.run(1, 1, .arrive(1, of: 1), .tripped(6, rank: 0, 1))
        story.run(1, 2, .arrive(2, of: 1), .tripped(5, rank: 0, 2))
        try expect(.barriers)
    }

    @Test mutating func `it breaks because somebody gave up, but nobody did`() throws {
        story.run(1, 1, .arrive(1), .broken(5, .timedOut))
        try expect(.barriers)
    }

    @Test mutating func `it breaks because somebody ended, but all live`() throws {
        bothArrive()
        story.answer(1, 1, .broken(5, .partyEnded))
        story.answer(2, 1, .broken(5, .partyEnded))
        try expect(.barriers)
    }

    @Test mutating func `it breaks before the one came who gave up`() throws {
        story.run(1, 1, .arrive(1), .broken(5))
        story.call(2, 1, .arrive(2))
        story.giveUp(2, 1)
        story.answer(2, 1, .broken(5))
        try expect(.barriers)
    }
}
