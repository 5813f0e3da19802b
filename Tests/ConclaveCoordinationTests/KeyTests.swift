import ConclaveBase
import ConclaveCoordination
import ConclaveWire
import Testing

@Suite struct `Keys` {
    private var stage: Stage
    private let session: SessionID
    private var number: UInt64 = 0
    private let a = ObjectName(known: "a")
    private let b = ObjectName(known: "b")

    init() {
        stage = Stage()
        session = stage.open(1)
    }

    private static func small() -> Quotas {
        var quotas = Quotas()
        quotas.keyHistoryCount = 3
        return quotas
    }

    @discardableResult
    private mutating func transact(
        _ operations: [KeyOperation], if compares: [KeyCompare] = [], by other: SessionID? = nil
    ) -> Reply? {
        number += 1
        let session = other ?? session
        stage.request(
            session, number, confirmed: number > 100 ? number - 1 : 0,
            .transact(KeyTransaction(compares: compares, operations: operations)))
        return stage.reply(to: number, of: session)
    }

    @discardableResult
    private mutating func put(
        _ key: ObjectName, _ value: [UInt8] = [1], isEphemeral: Bool = false,
        by other: SessionID? = nil
    ) -> Reply? {
        transact([.put(key, value: value, isEphemeral: isEphemeral)], by: other)
    }

    private func entry(_ key: ObjectName, at version: Version? = nil) -> KeyEntry? {
        stage.coordinator.key(key, at: version ?? stage.version)
    }

    private func written(_ count: UInt32 = 1) -> Reply {
        .written(KeysWritten(version: stage.version, changedCount: count))
    }

    private func names(_ prefix: String = "") -> [String] {
        stage.coordinator.keys(
            prefix: prefix, at: stage.version, KeyBudget(count: 100, byteCount: 1 << 20)
        ).entries.map(\.name.text)
    }

    private func changes(after version: Version) -> [String] {
        let budget = KeyBudget(count: 100, byteCount: 1 << 20)
        return stage.coordinator.keyChanges(
            after: KeyCursor(after: version), budget, where: { _ in true }
        ).changes.map { "\($0.name)@\($0.version.counter)" }
    }

    // MARK: - Putting and deleting

    @Test mutating func `a key has the version that put it last, and counts`() {
        #expect(put(a, [1]) == written())
        let created = stage.version
        #expect(stage.effects.last == .keysChanged([a], at: created))
        put(a, [2])
        let entry = entry(a)
        #expect(entry?.value == [2])
        let stamp = KeyStamp(created: created, modified: stage.version, putCount: 2)
        #expect(entry?.stamp == stamp)
    }

    @Test mutating func `deleting what is not there changes nothing`() {
        #expect(transact([.delete(a)]) == written(0))
        #expect(stage.effects.count == 1)
        put(a)
        #expect(transact([.delete(a)]) == written())
        #expect(entry(a) == nil)
        put(a)
        #expect(entry(a)?.stamp.putCount == 1)
        #expect(entry(a)?.stamp.created == stage.version)
    }

    @Test mutating func `a request that comes again is answered again, and changes nothing`() {
        put(a, [1])
        let version = stage.version
        put(a, [2])
        stage.request(
            session, 1,
            .transact(KeyTransaction(operations: [.put(a, value: [1], isEphemeral: false)])))
        #expect(
            stage.effects == [
                .reply(
                    session: session, number: 1,
                    .written(KeysWritten(version: version, changedCount: 1)))
            ])
        #expect(entry(a)?.value == [2])
    }

    // MARK: - Comparing

    @Test(arguments: [
        (KeyCompare.Expectation.absent, false), (.present, true), (.version(Version(1)), false),
    ])
    mutating func `a compare holds or names what was there`(
        expectation: KeyCompare.Expectation, holds: Bool
    ) {
        put(a)
        let stamp = entry(a)?.stamp
        let reply = transact(
            [.put(b, value: [], isEphemeral: false)], if: [KeyCompare(a, expectation)])
        let mismatch = KeyMismatch(version: stage.version, index: 0, key: a, found: stamp)
        #expect(reply == (holds ? written() : .mismatched(mismatch)))
        #expect((entry(b) != nil) == holds)
    }

    @Test mutating func `of two who compare the same version one is in time`() {
        put(a, [1])
        let seen = KeyCompare(a, .version(stage.version))
        #expect(transact([.put(a, value: [2], isEphemeral: false)], if: [seen]) == written())
        let stamp = entry(a)?.stamp
        let late = transact([.put(a, value: [3], isEphemeral: false)], if: [seen])
        #expect(
            late
                == .mismatched(
                    KeyMismatch(version: stage.version, index: 0, key: a, found: stamp)))
        #expect(entry(a)?.value == [2])
    }

    @Test mutating func `the first compare that fails is named, and nothing happens`() {
        put(a)
        let compares = [
            KeyCompare(a, .present), KeyCompare(b, .present), KeyCompare(a, .absent),
        ]
        let reply = transact([.delete(a)], if: compares)
        let mismatch = KeyMismatch(version: stage.version, index: 1, key: b, found: nil)
        #expect(reply == .mismatched(mismatch))
        #expect(entry(a) != nil)
    }

    // MARK: - Transactions

    @Test mutating func `a transaction happens at one version, and is told by name`() {
        put(b)
        let reply = transact([.delete(b), .put(a, value: [], isEphemeral: false)])
        #expect(reply == written(2))
        #expect(stage.effects.last == .keysChanged([a, b], at: stage.version))
        #expect(names() == ["a"])
    }

    @Test mutating func `what can never happen is refused`() {
        transact([.put(a, value: [], isEphemeral: false), .delete(a)])
        #expect(stage.refusal(of: number, of: session) == .invalid)
        transact([])
        #expect(stage.refusal(of: number, of: session) == .invalid)
        #expect(entry(a) == nil)
    }

    // MARK: - Ephemeral keys

    @Test(arguments: [SessionEnd.goodbye, .died, .expired])
    mutating func `a key goes with its session, at the version of its end`(reason: SessionEnd) {
        put(b, isEphemeral: true)
        put(a, isEphemeral: true)
        let before = stage.version
        stage.end(session, reason)
        #expect(stage.effects.contains(.keysChanged([a, b], at: stage.version)))
        #expect(names() == [])
        #expect(entry(a, at: before)?.stamp.session == session)
        let changes = stage.coordinator.keyChanges(
            after: KeyCursor(after: before), KeyBudget(count: 9, byteCount: 999),
            where: { _ in true })
        #expect(changes.changes.map(\.kind) == [.sessionEnded, .sessionEnded])
    }

    @Test mutating func `a key is its last writer's`() {
        let other = stage.open(2)
        put(a, isEphemeral: true)
        put(a, isEphemeral: true, by: other)
        put(b, isEphemeral: true)
        put(b, isEphemeral: false, by: other)
        stage.end(session, .died)
        #expect(names() == ["a", "b"])
        stage.end(other, .died)
        #expect(names() == ["b"])
    }

    @Test mutating func `an ephemeral key outlives a move of its session`() {
        put(a, isEphemeral: true)
        stage.apply(
            .resume(
                ResumeCommand(
                    session: session, secret: Secret(high: 2, low: 1), confirmed: 0,
                    process: Stage.process(1), member: Stage.member(2), nonce: 5)))
        #expect(entry(a) != nil)
        stage.end(session, .died, attachment: 2)
        #expect(entry(a) == nil)
    }

    // MARK: - Quotas

    @Test mutating func `quotas refuse what is one too many, and let go of what is there`() {
        var quotas = Quotas()
        quotas.objects = 2
        quotas.valueByteCount = 10
        quotas.valueByteCountPerUID = 6
        quotas.ephemeralKeysPerSession = 1
        stage = Stage(quotas: quotas)
        let session = stage.open(1)
        #expect(put(a, [1, 2, 3, 4], by: session) == written())
        put(b, [1, 2, 3], by: session)
        #expect(stage.refusal(of: number, of: session) == .quotaExceeded)
        #expect(put(b, [1, 2], isEphemeral: true, by: session) == written())
        put(ObjectName(known: "c"), [], by: session)
        #expect(stage.refusal(of: number, of: session) == .quotaExceeded)
        put(a, [1], isEphemeral: true, by: session)
        #expect(stage.refusal(of: number, of: session) == .quotaExceeded)
        #expect(
            transact(
                [.delete(b), .put(a, value: [1, 2, 3, 4, 5, 6], isEphemeral: true)], by: session)
                == written(2))
        #expect(stage.coordinator.objectCount == 1)
    }

    @Test mutating func `bytes count for the user who put them`() {
        var quotas = Quotas()
        quotas.valueByteCountPerUID = 4
        stage = Stage(quotas: quotas)
        let first = stage.open(1)
        stage.apply(.open(Stage.open(2, uid: 2_000)))
        let second = SessionID(stage.version.number)
        #expect(put(a, [1, 2, 3, 4], by: first) == written())
        #expect(put(a, [1, 2, 3, 4], by: second) == written())
        #expect(put(b, [1, 2, 3, 4], by: first) == written())
        put(ObjectName(known: "c"), [1], by: second)
        #expect(stage.refusal(of: number, of: second) == .quotaExceeded)
    }

    // MARK: - Reading

    @Test mutating func `keys are listed by their bytes, a page at a time`() {
        for text in ["x/2", "x/10", "x", "y", "x/é"] { put(ObjectName(known: text)) }
        #expect(names("x/") == ["x/10", "x/2", "x/é"])
        #expect(names("") == ["x", "x/10", "x/2", "x/é", "y"])
        let budget = KeyBudget(count: 2, byteCount: 1 << 20)
        let first = stage.coordinator.keys(prefix: "x", at: stage.version, budget)
        #expect(first.entries.map(\.name.text) == ["x", "x/10"])
        let second = stage.coordinator.keys(
            prefix: "x", after: first.next, at: stage.version, budget)
        #expect(second.entries.map(\.name.text) == ["x/2", "x/é"])
        #expect(second.next == nil)
    }

    @Test mutating func `thousands of keys come and go in order`() {
        let all = (0..<2_000).map { ObjectName(known: String(format($0 * 7_919 % 2_000))) }
        for key in all { put(key, []) }
        #expect(stage.coordinator.keyCount == 2_000)
        let budget = KeyBudget(count: 5_000, byteCount: 1 << 20, steps: 10_000)
        let listed = stage.coordinator.keys(prefix: "", at: stage.version, budget)
        #expect(listed.entries.map(\.name) == all.sorted())
        for key in all where key.text.hasSuffix("7") { transact([.delete(key)]) }
        #expect(names("19").allSatisfy { !$0.hasSuffix("7") })
        #expect(stage.coordinator.keyCount == 1_800)
    }

    private func format(_ number: Int) -> String {
        String(repeating: "0", count: 4 - String(number).count) + String(number)
    }

    @Test mutating func `what was is read at its version and at its time`() throws {
        put(a, [1])
        let (first, then) = (stage.version, stage.time)
        stage.time.microseconds += 10
        put(a, [2])
        stage.time.microseconds += 10
        transact([.delete(a)])
        #expect(entry(a, at: first)?.value == [1])
        #expect(entry(a, at: first.next)?.value == [2])
        #expect(entry(a) == nil)
        #expect(try stage.coordinator.version(of: .time(then)) == first)
        let later = Timestamp(microseconds: then.microseconds + 15)
        #expect(try stage.coordinator.version(of: .time(later)) == first.next)
        #expect(throws: HistoryFault.notReached(stage.version, stage.time)) {
            try stage.coordinator.version(of: .version(stage.version.next))
        }
        let next = Timestamp(microseconds: stage.time.microseconds + 1)
        #expect(throws: HistoryFault.notReached(stage.version, stage.time)) {
            try stage.coordinator.version(of: .time(next))
        }
    }

    // MARK: - History

    @Test mutating func `the history forgets the oldest versions, whole`() {
        stage = Stage(quotas: Self.small())
        let session = stage.open(1)
        put(a, [1], by: session)
        transact(
            [.put(a, value: [2], isEphemeral: false), .put(b, value: [2], isEphemeral: false)],
            by: session)
        let second = stage.version
        #expect(stage.coordinator.keyFloor == .zero)
        put(a, [3], by: session)
        let floor = stage.coordinator.keyFloor
        #expect(floor.next == second)
        #expect(throws: HistoryFault.gone(floor: floor, stage.time)) {
            try stage.coordinator.version(of: .version(Version(floor.number - 1)))
        }
        #expect(entry(a, at: floor)?.value == [1])
        put(b, [4], by: session)
        // Both of the transaction went.
        #expect(stage.coordinator.keyFloor == second)
        #expect(entry(a, at: second)?.value == [2])
        #expect(changes(after: second).count == 2)
    }

    @Test mutating func `deleted keys leave nothing behind when the history is over`() {
        stage = Stage(quotas: Self.small())
        let session = stage.open(1)
        put(a, by: session)
        transact([.delete(a)], by: session)
        for _ in 0..<3 { put(b, by: session) }
        #expect(stage.coordinator.keyCount == 1)
        let rows = stage.coordinator.encodeSnapshotRows()
        #expect(rows.count { $0.first == 11 } == 1)
    }

    @Test mutating func `bytes of what was superseded bound the history`() {
        var quotas = Quotas()
        quotas.keyHistoryByteCount = 1_000
        stage = Stage(quotas: quotas)
        let session = stage.open(1)
        let large = [UInt8](repeating: 1, count: 600)
        put(a, large, by: session)
        put(a, large, by: session)
        #expect(stage.coordinator.keyFloor == .zero)
        put(a, large, by: session)
        #expect(stage.coordinator.keyFloor != .zero)
        #expect(entry(a)?.value == large)
    }

    @Test mutating func `changes come by version and name, and go on where they were left`() {
        let before = stage.version
        transact([
            .put(b, value: [1], isEphemeral: false), .put(a, value: [1], isEphemeral: false),
        ])
        let first = stage.version
        put(b)
        let one = KeyBudget(count: 1, byteCount: 1 << 20)
        var cursor = KeyCursor(after: before)
        var told: [String] = []
        while cursor != KeyCursor(after: stage.version) {
            let page = stage.coordinator.keyChanges(after: cursor, one) { _ in true }
            told += page.changes.map { "\($0.name)@\($0.version.counter)" }
            cursor = page.cursor
            #expect(cursor.name == nil || cursor.wholeVersion < cursor.version)
        }
        let (one1, two) = (first.counter, stage.version.counter)
        #expect(told == ["a@\(one1)", "b@\(one1)", "b@\(two)"])
    }

    @Test mutating func `where a history is given up watchers must begin anew`() {
        put(a, [1])
        put(b, isEphemeral: true)
        stage.install([Stage.members[0]], historyWasGivenUp: true)
        #expect(stage.coordinator.keyFloor == stage.version)
        #expect(names() == ["a"])
        #expect(stage.coordinator.ephemeralKeyCount == 0)
    }

    // MARK: - Snapshots

    @Test mutating func `a snapshot has the keys, their past and whose they are`() throws {
        put(a, [1])
        put(a, [UInt8](repeating: 3, count: 40_000))
        put(a, [UInt8](repeating: 4, count: 40_000))
        transact([.delete(a)])
        put(b, isEphemeral: true)
        let start = Version(stage.version.number - 5)
        let expected = changes(after: start)
        var restored = stage
        try restored.restore()
        #expect(restored.coordinator.encodeSnapshotRows() == stage.coordinator.encodeSnapshotRows())
        #expect(restored.coordinator.digest == stage.coordinator.digest)
        stage = restored
        #expect(changes(after: start) == expected)
        stage.end(session, .died)
        #expect(names() == [])
        put(a)
        #expect(stage.coordinator.sessionState(session) == nil)
    }
}

extension Coordinator {
    /// Each row by itself, in no order.
    fileprivate func encodeSnapshotRows() -> [[UInt8]] {
        var frozen = freeze()
        var rows: [[UInt8]] = []
        while true {
            var writer = ByteWriter()
            guard frozen.encodeRow(into: &writer) else { break }
            rows.append(writer.bytes)
        }
        return rows.sorted { $0.lexicographicallyPrecedes($1) }
    }
}
