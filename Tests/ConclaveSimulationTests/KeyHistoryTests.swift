import ConclaveBase
import ConclaveSimulation
import ConclaveWire
import Testing

/// Stories of keys. Process 9 reads and watches.
@Suite struct `Key histories` {
    private var story = HistoryBuilder()
    private let a = HistoryBuilder.name("a")
    private let b = HistoryBuilder.name("b")

    init() {
        story.open(1, 2, 3)
    }

    private func put(_ key: ObjectName, _ value: UInt8, isEphemeral: Bool = false) -> KeyOperation {
        .put(key, value: [value], isEphemeral: isEphemeral)
    }

    private mutating func call(
        _ process: UInt64, _ call: UInt64, _ operations: [KeyOperation],
        if compares: [KeyCompare] = []
    ) {
        story.call(
            process, call,
            .transact(KeyTransaction(compares: compares, operations: operations)))
    }

    /// A transaction that nothing overlaps; its call has the number of its version.
    private mutating func write(
        _ process: UInt64, at version: UInt64, _ operations: [KeyOperation],
        if compares: [KeyCompare] = []
    ) {
        call(process, version, operations, if: compares)
        story.answer(process, version, Self.written(version))
    }

    private static func written(_ version: UInt64) -> HistoryAnswer {
        .written(KeysWritten(version: Version(version), changedCount: 1))
    }

    private func entry(
        _ key: ObjectName, _ value: UInt8, at version: UInt64, session: UInt64? = nil
    ) -> KeyEntry {
        KeyEntry(
            name: key,
            stamp: KeyStamp(
                created: Version(1), modified: Version(version), putCount: 1,
                session: session.map(SessionID.init)), time: .zero, value: [value])
    }

    private mutating func read(
        at version: UInt64, _ entries: [KeyEntry], isLocal: Bool = false, since: UInt64? = nil
    ) {
        story.read(
            9, KeyQuery(.prefix("", after: nil, limit: 9), isLocal: isLocal),
            KeyReport(version: Version(version), age: nil, entries: entries), since: since)
    }

    private mutating func state(_ version: UInt64, _ entries: [KeyEntry], isResync: Bool = false) {
        story.watched(
            9,
            .state(
                KeyStatePart(
                    version: Version(version), isFirst: true, isLast: true, isResync: isResync,
                    entries: entries)))
    }

    private mutating func change(_ entry: KeyEntry, upTo: UInt64? = nil) {
        let version = entry.stamp.modified
        story.watched(
            9,
            .changes(
                [
                    KeyChange(
                        name: entry.name, version: version, time: .zero,
                        kind: .put(entry.stamp, value: entry.value))
                ], upTo: upTo.map(Version.init) ?? version))
    }

    private func expect(_ promise: ContractPromise?) throws {
        #expect(try story.broken() == promise)
    }

    // MARK: - Right

    @Test mutating func `reads show what was written last`() throws {
        read(at: 4, [])
        write(1, at: 5, [put(a, 1)])
        read(at: 5, [entry(a, 1, at: 5)])
        write(2, at: 6, [put(a, 2), put(b, 2)])
        read(at: 8, [entry(a, 2, at: 6), entry(b, 2, at: 6)])
        write(1, at: 9, [.delete(a)])
        read(at: 9, [entry(b, 2, at: 6)])
        try expect(nil)
    }

    @Test mutating func `a local read may be behind`() throws {
        write(1, at: 5, [put(a, 1)])
        write(1, at: 6, [put(a, 2)])
        read(at: 5, [entry(a, 1, at: 5)], isLocal: true)
        try expect(nil)
    }

    @Test mutating func `what was never answered may have happened`() throws {
        call(1, 1, [put(a, 1)])
        read(at: 5, [entry(a, 1, at: 4)])
        call(2, 1, [.delete(a)])
        read(at: 6, [])
        try expect(nil)
    }

    @Test mutating func `compares see what there was`() throws {
        write(1, at: 5, [put(a, 1)], if: [KeyCompare(a, .absent)])
        write(2, at: 6, [put(a, 2)], if: [KeyCompare(a, .version(Version(5)))])
        call(1, 7, [put(a, 3)], if: [KeyCompare(a, .version(Version(5)))])
        story.answer(
            1, 7,
            .mismatched(
                KeyMismatch(
                    version: Version(7), index: 0, key: a, found: entry(a, 2, at: 6).stamp)))
        try expect(nil)
    }

    @Test mutating func `an ephemeral key may go when its session may`() throws {
        write(1, at: 5, [put(a, 1, isEphemeral: true)])
        read(at: 5, [entry(a, 1, at: 5, session: 1)])
        story.die(1)
        read(at: 7, [])
        try expect(nil)
    }

    @Test mutating func `what was answered may happen again under a version of a later era`() throws
    {
        let later = Version(startOfEra: 3).number + 1
        write(1, at: 5, [put(a, 1)])
        write(1, at: 6, [put(a, 2)])
        read(at: later + 4, [entry(a, 1, at: later)])
        var foreign = self
        foreign.read(at: later + 4, [entry(a, 3, at: later)])
        try foreign.expect(.totalOrder)
        try expect(nil)
    }

    @Test mutating func `what did not happen may do so under a version of a later era`() throws {
        let later = Version(startOfEra: 3).number + 1
        let compare = KeyCompare(b, .present)
        call(1, 5, [put(a, 1)], if: [compare])
        story.answer(
            1, 5, .mismatched(KeyMismatch(version: Version(5), index: 0, key: b, found: nil)))
        var sameEra = self
        sameEra.read(at: 8, [entry(a, 1, at: 7)])
        try sameEra.expect(.totalOrder)
        read(at: later + 4, [entry(a, 1, at: later)])
        try expect(nil)
    }

    @Test mutating func `a watcher is told the state, then all changes`() throws {
        write(1, at: 5, [put(a, 1)])
        state(5, [entry(a, 1, at: 5)])
        write(1, at: 6, [put(a, 2)])
        change(entry(a, 2, at: 6))
        write(1, at: 7, [put(b, 3)])
        state(7, [entry(a, 2, at: 6), entry(b, 3, at: 7)], isResync: true)
        try expect(nil)
    }

    // MARK: - Wrong

    @Test mutating func `a read that misses what was acknowledged`() throws {
        write(1, at: 5, [put(a, 1)])
        write(1, at: 6, [put(a, 2)])
        read(at: 5, [entry(a, 1, at: 5)])
        try expect(.nothingLost)
    }

    @Test mutating func `a read that shows what was replaced, or what nobody wrote`() throws {
        write(1, at: 5, [put(a, 1)])
        write(1, at: 6, [put(a, 2)])
        var stale = self
        stale.read(at: 6, [entry(a, 1, at: 5)])
        try stale.expect(.totalOrder)
        var foreign = self
        foreign.read(at: 6, [entry(a, 7, at: 6)])
        try foreign.expect(.totalOrder)
        var gone = self
        gone.read(at: 6, [])
        try gone.expect(.totalOrder)
    }

    @Test mutating func `an ephemeral key that goes though its session lives`() throws {
        write(1, at: 5, [put(a, 1, isEphemeral: true)])
        read(at: 7, [])
        try expect(.totalOrder)
    }

    @Test mutating func `half of a transaction`() throws {
        write(1, at: 5, [put(a, 1), put(b, 1)])
        read(at: 5, [entry(a, 1, at: 5)])
        try expect(.totalOrder)
    }

    @Test mutating func `two transactions of one version, or of versions against the time`() throws
    {
        write(1, at: 5, [put(a, 1)])
        var twice = self
        twice.write(2, at: 5, [put(b, 1)])
        try twice.expect(.exactlyOnce)
        write(2, at: 4, [put(b, 1)])
        try expect(.nothingLost)
    }

    @Test mutating func `a compare that held, though it did not`() throws {
        write(1, at: 5, [put(a, 1)])
        write(2, at: 6, [put(a, 2)])
        write(3, at: 7, [put(a, 3)], if: [KeyCompare(a, .version(Version(5)))])
        try expect(.totalOrder)
    }

    @Test mutating func `a compare that did not hold, though it did`() throws {
        write(1, at: 5, [put(a, 1)])
        call(2, 6, [put(a, 2)], if: [KeyCompare(a, .present)])
        story.answer(
            2, 6,
            .mismatched(
                KeyMismatch(
                    version: Version(6), index: 0, key: a, found: entry(a, 1, at: 5).stamp)))
        try expect(.totalOrder)
    }

    @Test mutating func `a watcher that is not told of a change`() throws {
        write(1, at: 5, [put(a, 1)])
        state(5, [entry(a, 1, at: 5)])
        write(1, at: 6, [put(a, 2)])
        write(1, at: 7, [put(b, 3)])
        change(entry(b, 3, at: 7))
        try expect(.totalOrder)
    }

    @Test mutating func `a watcher that is told twice, or backwards`() throws {
        write(1, at: 5, [put(a, 1)])
        write(1, at: 6, [put(b, 2)])
        state(4, [])
        var backwards = self
        backwards.change(entry(b, 2, at: 6), upTo: 4)
        backwards.change(entry(a, 1, at: 5), upTo: 4)
        try backwards.expect(.totalOrder)
        change(entry(a, 1, at: 5))
        change(entry(a, 1, at: 5))
        try expect(.totalOrder)
    }

    @Test mutating func `another state without a word why`() throws {
        write(1, at: 5, [put(a, 1)])
        state(5, [entry(a, 1, at: 5)])
        state(5, [entry(a, 1, at: 5)])
        try expect(.totalOrder)
    }
}
