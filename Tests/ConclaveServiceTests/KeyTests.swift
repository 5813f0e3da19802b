import ConclaveBase
import ConclaveCoordination
import ConclaveService
import ConclaveWire
import Testing

@Suite struct `Keys and their watchers` {
    private let group: TestGroup
    private let writer: ConnectionID
    private let watcher: ConnectionID
    private var daemon: TestDaemon { group[0] }
    private var number: UInt64 = 0
    private let key: ObjectName

    init() throws {
        try self.init(quotas: Quotas())
    }

    private init(quotas: Quotas, plant: Plant? = nil) throws {
        group = TestGroup(quotas: quotas, plant: plant)
        key = try ObjectName("db/a")
        (writer, _) = try group[0].connectWithSession(pid: 1)
        watcher = group[0].connect(pid: 2)
        group[0].hello(watcher)
        _ = try group[0].received(watcher)
    }

    private mutating func put(_ name: String, _ value: [UInt8] = [1]) throws {
        number += 1
        let key = try ObjectName(name)
        let transaction = KeyTransaction(
            operations: [.put(key, value: value, isEphemeral: false)])
        daemon.request(.transact(transaction), number: number, confirmed: number - 1, writer)
    }

    private func ask(_ query: KeyQuery, number: UInt64) {
        daemon.send(.readKeys, number: number, watcher) { query.encode(into: &$0) }
    }

    private func watch(
        _ selector: KeySelector, from: Version? = nil, number: UInt64 = 4
    ) {
        daemon.send(.watchKeys, number: number, watcher) {
            KeyWatch(selector, from: from).encode(into: &$0)
        }
    }

    private func frames(_ type: ClientFrameType) throws -> [FrameBuffer.Frame] {
        try daemon.received(watcher).filter { $0.header.type == type.rawValue }
    }

    private func news() throws -> [KeyNews] {
        try frames(.watchKeys).map { frame in
            var reader = ByteReader(frame.body)
            let news = try KeyNews(from: &reader)
            try reader.finish()
            return news
        }
    }

    private func report() throws -> KeyReport {
        let frame = try #require(try frames(.readKeys).first)
        var reader = ByteReader(frame.body)
        return try KeyReport(from: &reader)
    }

    // MARK: - Reads

    @Test mutating func `a read waits until what was acknowledged is applied here`() throws {
        try put("db/a", [7])
        group.isHeld = true
        ask(KeyQuery(.key(key)), number: 1)
        #expect(try daemon.received(watcher).isEmpty)
        group.order()
        let report = try report()
        #expect(report.entries.map(\.value) == [[7]])
        #expect(report.version == group.machine.version)
        #expect(report.age == .zero)
    }

    @Test mutating func `reads that are asked together share a mark`() throws {
        group.isHeld = true
        daemon.isServing = false
        for number in 1...5 { ask(KeyQuery(.key(key)), number: UInt64(number)) }
        daemon.isServing = true
        daemon.flush()
        #expect(group.marks.count == 1)
        ask(KeyQuery(.key(key)), number: 6)
        group.order()
        #expect(try frames(.readKeys).map(\.header.number) == [1, 2, 3, 4, 5, 6])
    }

    @Test mutating func `a read that is lost with its epoch is answered in the next`() throws {
        group.isHeld = true
        ask(KeyQuery(.key(key)), number: 1)
        group.isHeld = false
        group.install([daemon.member])
        #expect(try frames(.readKeys).map(\.header.number) == [1])
    }

    @Test mutating func `a local read is answered at once, and says how old it may be`() throws {
        try put("db/a")
        group.confirm()
        group.isHeld = true
        group.now = group.now.advanced(by: .milliseconds(70))
        ask(KeyQuery(.key(key), isLocal: true), number: 1)
        let report = try report()
        #expect(report.age == .milliseconds(70))
        #expect(report.entries.count == 1)
    }

    @Test mutating func `pages and names come as they were asked for`() throws {
        for name in ["db/a", "db/b", "db/c"] { try put(name) }
        ask(KeyQuery(.prefix("db/", after: nil, limit: 2), namesOnly: true), number: 1)
        var report = try report()
        #expect(report.entries.map(\.name.text) == ["db/a", "db/b"])
        #expect(report.entries.allSatisfy { $0.value.isEmpty })
        #expect(report.next?.text == "db/b")
        ask(KeyQuery(.prefix("db/", after: report.next, limit: 0)), number: 2)
        report = try self.report()
        #expect(report.entries.map(\.name.text) == ["db/c"])
    }

    @Test mutating func `a page fits a frame, however large the values are`() throws {
        for index in 0..<200 {
            try put("db/\(index)", [UInt8](repeating: 1, count: 3_900))
        }
        ask(KeyQuery(.prefix("", after: nil, limit: .max)), number: 1)
        let report = try report()
        #expect(report.next != nil)
        #expect((60...80).contains(report.entries.count))
    }

    @Test mutating func `what is before the history, or still to come, is refused`() throws {
        var quotas = Quotas()
        quotas.keyHistoryCount = 1
        self = try Self(quotas: quotas)
        try put("db/a")
        try put("db/a")
        ask(KeyQuery(.key(key), at: .version(Version(1))), number: 1)
        ask(KeyQuery(.key(key), at: .version(Version(.max))), number: 2)
        #expect(try daemon.received(watcher).refusals.map(\.code) == [.historyGone, .invalid])
    }

    @Test mutating func `a value that does not fit a slot is refused with the limit`() throws {
        try put("db/a", [UInt8](repeating: 1, count: 4_000))
        let refusals = try daemon.received(writer).refusals
        #expect(refusals.map(\.code) == [.invalid])
        #expect(refusals[0].message.contains("4000"))
    }

    @Test mutating func `what is asked at once is answered in turns, however much it is`() throws {
        for index in 0..<80 {
            try put("db/\(index)", [UInt8](repeating: 1, count: 3_900))
        }
        group.isHeld = true
        let query = KeyQuery(.prefix("db/", after: nil, limit: .max))
        for number in 1...40 { ask(query, number: UInt64(number)) }
        group.order()
        #expect(daemon.turns.count { $0 > 0 } > 10)
        #expect(daemon.turns.allSatisfy { $0 < (1 << 20) + ClientLimits.keyPage * 2 })
        #expect(try frames(.readKeys).map(\.header.number) == Array(1...40))
    }

    @Test mutating func `local questions take turns as well`() throws {
        try put("db/a")
        daemon.step(.client(.stalled(watcher, byteCount: 1)))
        let query = KeyQuery(.key(key), isLocal: true)
        ask(query, number: 1)
        ask(query, number: 2)
        daemon.send(.unsubscribe, number: 3, watcher) { $0.integer(UInt64(1)) }
        #expect(try frames(.readKeys).isEmpty)
        daemon.step(.client(.drained(watcher)))
        #expect(try frames(.readKeys).map(\.header.number) == [2])
    }

    @Test mutating func `a number that waits for an answer is not asked again`() throws {
        try put("db/a", [1])
        group.isHeld = true
        for _ in 1...5_000 {
            ask(KeyQuery(.key(key)), number: 1)
            ask(KeyQuery(.key(key)), number: 1)
            #expect(try daemon.received(watcher).refusals.map(\.code) == [.invalid])
            daemon.send(.unsubscribe, number: 2, watcher) { $0.integer(UInt64(1)) }
            _ = try daemon.received(watcher)
        }
        ask(KeyQuery(.key(key)), number: 1)
        group.order()
        #expect(try report().entries.map(\.value) == [[1]])
        #expect(try frames(.readKeys).isEmpty)
    }

    @Test func `who watches at once is counted when the watches begin`() throws {
        group.isHeld = true
        for number in 1...UInt64(400) { watch(.key(key), number: number) }
        group.order()
        #expect(try daemon.received(watcher).refusals.count == 100)
    }

    @Test func `a user watches so often and no more`() throws {
        for number in 1...UInt64(300) { watch(.key(key), number: number) }
        watch(.key(key), number: 301)
        let refusals = try daemon.received(watcher).refusals
        #expect(refusals.map(\.code) == [.quotaExceeded])
        #expect(refusals[0].message.contains("300"))
        daemon.send(.unsubscribe, number: 302, watcher) { $0.integer(UInt64(7)) }
        watch(.key(key), number: 303)
        #expect(try daemon.received(watcher).refusals.isEmpty)
    }

    // MARK: - Watches

    @Test mutating func `a watcher is told the state, then each change`() throws {
        try put("db/a", [1])
        watch(.prefix("db/"))
        try put("db/b", [2])
        try put("other")
        number += 1
        daemon.request(
            .transact(
                KeyTransaction(operations: [.delete(key), .delete(try ObjectName("other"))])),
            number: number, writer)
        let frames = try frames(.watchKeys)
        #expect(frames.map(\.header.flags) == [.reply, .event, .event])
        #expect(frames.allSatisfy { $0.header.number == 4 })
        let news = try frames.map { frame in
            var reader = ByteReader(frame.body)
            return try KeyNews(from: &reader)
        }
        guard case .state(let part) = news[0], case .changes(let put, let upTo) = news[1],
            case .changes(let deleted, _) = news[2]
        else {
            Issue.record("\(news)")
            return
        }
        #expect(part.entries.map(\.name.text) == ["db/a"])
        #expect(part.isFirst && part.isLast && !part.isResync)
        #expect(put.map(\.name.text) == ["db/b"])
        #expect(upTo == put[0].version)
        #expect(deleted.map(\.kind) == [.deleted])
    }

    @Test mutating func `a piece that ends with its version says that it is whole`() throws {
        let version = group.machine.version
        for value in 1...1_001 { try put("db/a", [UInt8(truncatingIfNeeded: value)]) }
        watch(.key(key), from: version)
        var told = 0
        for case .changes(let changes, let upTo) in try news() {
            told += changes.count
            #expect(changes.last.map { upTo >= $0.version } ?? true)
        }
        #expect(told == 1_001)
    }

    @Test mutating func `a watch is resumed without a gap`() throws {
        try put("db/a", [1])
        let version = group.machine.version
        try put("db/a", [2])
        try put("db/a", [3])
        watch(.key(key), from: version)
        guard case .changes(let changes, let upTo)? = try news().first else {
            Issue.record("no changes")
            return
        }
        #expect(changes.map(\.version) == [version.next, version.next.next])
        #expect(upTo >= version.next.next)
    }

    @Test mutating func `one who has missed nothing is told so`() throws {
        watch(.key(key), from: group.machine.version)
        let news = try news()
        guard case .changes(let changes, _)? = news.first else {
            Issue.record("\(news)")
            return
        }
        #expect(changes.isEmpty && news.count == 1)
    }

    @Test mutating func `a watch from before the history begins anew, and is told so`() throws {
        var quotas = Quotas()
        quotas.keyHistoryCount = 1
        self = try Self(quotas: quotas)
        try put("db/a", [1])
        let version = group.machine.version
        for value in 2...4 { try put("db/a", [UInt8(value)]) }
        watch(.key(key), from: version)
        guard case .state(let part)? = try news().first else {
            Issue.record("no state")
            return
        }
        #expect(part.isResync)
        #expect(part.entries.map(\.value) == [[4]])
    }

    @Test mutating func `an idle watcher does not begin anew for what it does not watch`() throws {
        var quotas = Quotas()
        quotas.keyHistoryCount = 2
        self = try Self(quotas: quotas)
        watch(.key(key))
        for _ in 0..<9 { try put("other") }
        try put("db/a", [5])
        let news = try news()
        #expect(news.count == 2)
        guard case .changes(let changes, _)? = news.last else {
            Issue.record("\(news)")
            return
        }
        #expect(changes.map(\.name) == [key])
    }

    @Test mutating func `one who does not read costs nothing, and is told all of it later`() throws
    {
        watch(.prefix("db/"))
        _ = try daemon.received(watcher)
        daemon.step(.client(.stalled(watcher, byteCount: 1)))
        for value in 1...50 { try put("db/a", [UInt8(value)]) }
        #expect(try daemon.received(watcher).isEmpty)
        daemon.step(.client(.drained(watcher)))
        guard case .changes(let changes, _)? = try news().first else {
            Issue.record("no changes")
            return
        }
        #expect(changes.count == 50)
    }

    @Test mutating func `one who does not read for too long begins anew`() throws {
        var quotas = Quotas()
        quotas.keyHistoryCount = 10
        self = try Self(quotas: quotas)
        watch(.prefix("db/"))
        _ = try daemon.received(watcher)
        daemon.step(.client(.stalled(watcher, byteCount: 1)))
        for value in 1...50 { try put("db/a", [UInt8(value)]) }
        daemon.step(.client(.drained(watcher)))
        guard case .state(let part)? = try news().first else {
            Issue.record("no state")
            return
        }
        #expect(part.isResync)
    }

    private mutating func putMany() throws {
        for index in 0..<200 {
            try put("db/\(index)", [UInt8](repeating: 1, count: 3_900))
        }
    }

    private func stateParts() throws -> [KeyStatePart] {
        try news().compactMap { if case .state(let part) = $0 { part } else { nil } }
    }

    @Test mutating func `a large state comes in pieces of one version`() throws {
        try putMany()
        watch(.prefix("db/"))
        let parts = try stateParts()
        #expect(parts.count > 2)
        #expect(Set(parts.map(\.version)).count == 1)
        #expect(parts.map(\.isFirst) == [true] + parts.dropFirst().map { _ in false })
        #expect(parts.map(\.isLast) == parts.dropLast().map { _ in false } + [true])
        #expect(parts.flatMap(\.entries).count == 200)
    }

    @Test mutating func `who was told a part has missed nothing, however much is forgotten`() throws
    {
        var quotas = Quotas()
        quotas.keyHistoryCount = 2
        self = try Self(quotas: quotas)
        try putMany()
        daemon.turnsPerStep = 1
        watch(.prefix("db/"))
        let part = try #require(try stateParts().first)
        #expect(part.isFirst && !part.isLast && !part.isResync)
        daemon.turnsPerStep = 0
        for value in 1...9 { try put("db/a", [UInt8(value)]) }
        daemon.turnsPerStep = .max
        daemon.step(.client(.drained(watcher)))
        let again = try stateParts()
        #expect(again.first?.isFirst == true && again.last?.isLast == true)
        #expect(again.allSatisfy { !$0.isResync && $0.version > part.version })
    }

    @Test mutating func `whoever unsubscribes or goes is told nothing more`() throws {
        watch(.key(key), number: 4)
        watch(.prefix("db/"), number: 5)
        _ = try daemon.received(watcher)
        daemon.send(.unsubscribe, number: 6, watcher) { $0.integer(UInt64(4)) }
        try put("db/a")
        #expect(try frames(.watchKeys).map(\.header.number) == [5])
        daemon.step(.client(.closed(watcher)))
        try put("db/a")
        #expect(try daemon.received(watcher).isEmpty)
    }

    @Test mutating func `prefixes are compared by their bytes`() throws {
        // The same to look at: one character, or a letter and an accent.
        watch(.prefix("\u{E9}"), number: 4)
        watch(.prefix("e\u{301}"), number: 5)
        _ = try daemon.received(watcher)
        try put("e\u{301}x")
        try put("\u{E9}x")
        #expect(try frames(.watchKeys).map(\.header.number) == [5, 4])
    }

    @Test mutating func `changes that were not told are found when the state is replaced`() throws {
        watch(.key(key))
        _ = try daemon.received(watcher)
        daemon.isDeaf = true
        try put("db/a", [9])
        #expect(try daemon.received(watcher).isEmpty)
        daemon.isDeaf = false
        group.replaceState(of: daemon)
        guard case .changes(let changes, _)? = try news().first else {
            Issue.record("no changes")
            return
        }
        #expect(changes.count == 1)
    }

    @Test mutating func `a watcher is told when its daemon leaves the majority`() throws {
        watch(.key(key))
        _ = try daemon.received(watcher)
        daemon.step(
            .serving(ServingState(isServing: false, reason: "outside the majority")))
        let frames = try daemon.received(watcher)
        #expect(frames.map(\.header.type) == [ClientFrameType.serving.rawValue])
    }

    @Test func `a connection reads and follows so many things and no more`() throws {
        group.isHeld = true
        for number in 1...1_025 { watch(.key(key), number: UInt64(number)) }
        #expect(try daemon.received(watcher).refusals.map(\.code) == [.quotaExceeded])
        daemon.step(.client(.closed(watcher)))
        group.order()
    }
}
