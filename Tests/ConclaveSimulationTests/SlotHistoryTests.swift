import ConclaveBase
import ConclaveSimulation
import ConclaveWire
import Testing

/// Stories of leader slots. Process 9 is an observer.
@Suite struct `Leader slot histories` {
    private var story = HistoryBuilder()

    init() {
        story.open(1, 2, 3)
    }

    private mutating func campaign(_ process: UInt64, _ call: UInt64, _ value: UInt8 = 0) {
        story.call(process, call, .campaign(value: [value]), "s")
    }

    private mutating func elect(
        _ process: UInt64, _ token: UInt64, after end: PreviousEnd = .none, _ value: UInt8? = nil
    ) {
        campaign(process, token, UInt8(process))
        story.answer(process, token, .elected(token, after: end, value.map { [$0] } ?? []))
    }

    private mutating func resign(_ process: UInt64, _ token: UInt64, _ call: UInt64 = 900) {
        story.run(process, call + token, .resign(token), .done, "s")
    }

    private mutating func announce(
        _ process: UInt64, _ token: UInt64, _ value: UInt8, _ answer: HistoryAnswer = .done
    ) {
        story.run(process, 500 + UInt64(value), .announce(token, value), answer, "s")
    }

    private mutating func expect(_ promise: ContractPromise?) throws {
        #expect(try story.broken() == promise)
    }

    private mutating func elect(
        _ process: UInt64, _ token: UInt64, place: UInt32, of places: UInt32
    ) {
        story.run(
            process, token, .campaign(value: [], places: places), .elected(token, place: place), "s"
        )
    }

    // MARK: - Several places

    @Test mutating func `two may lead at once where there are two places`() throws {
        elect(1, 10, place: 0, of: 2)
        elect(2, 11, place: 1, of: 2)
        resign(1, 10)
        elect(3, 12, place: 0, of: 2)
        try expect(nil)
    }

    @Test mutating func `a third leader of two is one too many`() throws {
        elect(1, 10, place: 0, of: 2)
        elect(2, 11, place: 1, of: 2)
        elect(3, 12, place: 2, of: 2)
        try expect(.mutualExclusion)
    }

    @Test mutating func `a place that somebody has is not given again`() throws {
        elect(1, 10, place: 0, of: 2)
        elect(2, 11, place: 0, of: 2)
        try expect(.mutualExclusion)
    }

    @Test mutating func `terms that begin together differ in their places`() throws {
        elect(1, 10, place: 0, of: 2)
        elect(2, 10, place: 0, of: 2)
        try expect(.fencing)
    }

    // MARK: - Handing over

    @Test mutating func `who is handed a slot leads next`() throws {
        elect(1, 10)
        campaign(2, 20)
        campaign(3, 21)
        story.run(1, 30, .handOver(FencingToken(10), to: SessionID(3)), .done, "s")
        story.answer(3, 21, .elected(12, after: .released, [1]))
        resign(3, 12)
        story.answer(2, 20, .elected(13, after: .released, [0]))
        try expect(nil)
    }

    @Test mutating func `nobody else leads between`() throws {
        elect(1, 10)
        campaign(2, 20)
        campaign(3, 21)
        story.run(1, 30, .handOver(FencingToken(10), to: SessionID(3)), .done, "s")
        story.answer(2, 20, .elected(12, after: .released, [1]))
        resign(2, 12)
        story.answer(3, 21, .elected(13, after: .released, [0]))
        try expect(.mutualExclusion)
    }

    // MARK: - Right

    @Test mutating func `one leads after the other and is told its value`() throws {
        elect(1, 10)
        resign(1, 10)
        elect(2, 12, after: .released, 1)
        try expect(nil)
    }

    @Test mutating func `the value announced last is handed on`() throws {
        elect(1, 10)
        announce(1, 10, 77)
        campaign(2, 1)
        resign(1, 10)
        story.answer(2, 1, .elected(13, after: .released, [77]))
        try expect(nil)
    }

    @Test mutating func `a value whose announcement is unknown may be handed on, or not`() throws {
        elect(1, 10)
        story.call(1, 2, .announce(10, 77), "s")
        campaign(2, 1)
        story.die(1)
        story.answer(2, 1, .elected(13, after: .died, [77]))
        try expect(nil)
    }

    @Test mutating func `the value before an announcement that was lost is handed on`() throws {
        elect(1, 10)
        story.call(1, 2, .announce(10, 77), "s")
        campaign(2, 1)
        story.die(1)
        story.answer(2, 1, .elected(13, after: .died, [1]))
        try expect(nil)
    }

    @Test mutating func `a candidate gives up`() throws {
        elect(1, 10)
        campaign(2, 1)
        story.giveUp(2, 1)
        story.answer(2, 1, .cancelled)
        resign(1, 10)
        elect(3, 14, after: .released, 1)
        try expect(nil)
    }

    @Test mutating func `a leader is lost and another one follows`() throws {
        elect(1, 10)
        story.lose(1)
        elect(2, 14, after: .expired, 1)
        try expect(nil)
    }

    @Test mutating func `who is out of office announces nothing`() throws {
        elect(1, 10)
        resign(1, 10)
        announce(1, 10, 77, .refused(.notHeld))
        try expect(nil)
    }

    @Test mutating func `a slot that was forgotten says nothing of the last leader`() throws {
        elect(1, 10)
        resign(1, 10)
        elect(2, 14)
        try expect(nil)
    }

    @Test mutating func `terms overlap only as far as nobody knows`() throws {
        elect(1, 10)
        campaign(2, 1)
        story.call(1, 3, .resign(10), "s")
        story.answer(2, 1, .elected(12, after: .released, [1]))
        story.answer(1, 3, .done)
        try expect(nil)
    }

    @Test mutating func `an observer is told late, and of nobody`() throws {
        elect(1, 10)
        story.observe(9, version: 5, token: nil)
        resign(1, 10)
        story.observe(9, version: 10, token: 10)
        story.observe(9, version: 11, token: 10)
        story.observe(9, version: 12, token: nil)
        try expect(nil)
    }

    @Test mutating func `two observers may be at different versions`() throws {
        elect(1, 10)
        story.observe(9, version: 12, token: 10)
        story.observe(8, version: 9, token: nil)
        try expect(nil)
    }

    @Test mutating func `the same is told again`() throws {
        elect(1, 10)
        story.observe(9, version: 12, token: 10)
        story.observe(9, version: 12, token: 10)
        try expect(nil)
    }

    // MARK: - Wrong

    @Test mutating func `two lead at once`() throws {
        elect(1, 10)
        elect(2, 12)
        resign(1, 10)
        try expect(.mutualExclusion)
    }

    @Test mutating func `a term that is older than the one before`() throws {
        elect(1, 10)
        resign(1, 10)
        elect(2, 8)
        try expect(.fencing)
    }

    @Test mutating func `two have the same term`() throws {
        elect(1, 10)
        campaign(2, 1)
        resign(1, 10)
        story.answer(2, 1, .elected(10))
        try expect(.fencing)
    }

    @Test mutating func `somebody else's value is handed on`() throws {
        elect(1, 10)
        resign(1, 10)
        elect(2, 12, after: .released, 99)
        try expect(.mutualExclusion)
    }

    @Test mutating func `an announcement that was done is not handed on`() throws {
        elect(1, 10)
        announce(1, 10, 77)
        campaign(2, 1)
        resign(1, 10)
        story.answer(2, 1, .elected(13, after: .released, [1]))
        try expect(.mutualExclusion)
    }

    @Test mutating func `announced after the term was over`() throws {
        elect(1, 10)
        resign(1, 10)
        announce(1, 10, 77)
        try expect(.exactlyOnce)
    }

    @Test mutating func `resigned twice`() throws {
        elect(1, 10)
        resign(1, 10)
        resign(1, 10, 950)
        try expect(.exactlyOnce)
    }

    @Test mutating func `elected after its session had ended`() throws {
        story.goodbye(1)
        story.close(1)
        elect(1, 10)
        try expect(.mutualExclusion)
    }

    @Test mutating func `followed before the leader could have lost it`() throws {
        elect(1, 10)
        elect(2, 11, after: .expired, 1)
        announce(1, 10, 77)
        story.lose(1)
        try expect(.mutualExclusion)
    }

    @Test mutating func `told that it does not lead while it does`() throws {
        elect(1, 10)
        announce(1, 10, 77, .refused(.notHeld))
        resign(1, 10)
        try expect(.exactlyOnce)
    }

    @Test mutating func `told that the leader released, who died`() throws {
        elect(1, 10)
        story.die(1)
        elect(2, 12, after: .released, 1)
        try expect(.mutualExclusion)
    }

    @Test mutating func `an observer goes back`() throws {
        story.observe(9, version: 12, token: nil)
        story.observe(9, version: 11, token: nil)
        try expectObserved(.totalOrder)
    }

    @Test mutating func `an observer sees two things at one version`() throws {
        elect(1, 10)
        story.observe(9, version: 12, token: 10)
        story.observe(9, version: 12, token: nil)
        try expect(.totalOrder)
    }

    @Test mutating func `an observer sees an old term after a new one had begun`() throws {
        elect(1, 10)
        resign(1, 10)
        elect(2, 12, after: .released, 1)
        story.observe(9, version: 13, token: 10)
        try expect(.totalOrder)
    }

    @Test mutating func `an observer sees a term before it began`() throws {
        elect(1, 10)
        story.observe(9, version: 9, token: 10)
        try expect(.totalOrder)
    }

    /// Of a slot for which nobody campaigned there is nothing but what was observed.
    private mutating func expectObserved(_ promise: ContractPromise) throws {
        elect(3, 90)
        try expect(promise)
    }
}
