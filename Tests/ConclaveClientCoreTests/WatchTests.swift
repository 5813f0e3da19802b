import ConclaveBase
import ConclaveClientCore
import ConclaveWire
import Testing

@Suite struct `Watches of keys` {
    private var client = TestClient()
    private let key: ObjectName
    private let watch: CallID

    init() throws {
        client.open()
        key = try ObjectName("a")
        watch = client.query(.watchKeys(KeyWatch(.key(key))))
        client.effects.removeAll()
    }

    private func entry(_ version: UInt64) -> KeyEntry {
        KeyEntry(
            name: key,
            stamp: KeyStamp(
                created: Version(version), modified: Version(version), putCount: 1),
            time: .zero, value: [])
    }

    private func change(_ version: UInt64, _ name: String = "a") -> KeyChange {
        KeyChange(
            name: (try? ObjectName(name)) ?? key, version: Version(version), time: .zero,
            kind: .deleted)
    }

    private mutating func receive(_ news: KeyNews, _ flags: FrameHeader.Flags = .event) {
        client.receive(.watchKeys, flags, number: 1) { news.encode(into: &$0) }
    }

    private mutating func receiveState(
        _ version: UInt64, isFirst: Bool = true, isLast: Bool = true, isResync: Bool = false,
        _ flags: FrameHeader.Flags = .event
    ) {
        receive(
            .state(
                KeyStatePart(
                    version: Version(version), isFirst: isFirst, isLast: isLast,
                    isResync: isResync, entries: [entry(version)])), flags)
    }

    private mutating func takeUpdates() -> [ClientCore.Report] {
        client.take().compactMap { effect in
            switch effect {
            case .answered(watch, .report(let report)), .event(watch, .report(let report)): report
            default: nil
            }
        }
    }

    private func state(
        _ entries: [KeyEntry], at version: UInt64, isResync: Bool = false
    ) -> ClientCore.Report {
        .keyUpdate(.state(entries, at: Version(version), isResync: isResync))
    }

    private func changes(_ changes: [KeyChange], upTo: UInt64) -> ClientCore.Report {
        .keyUpdate(.changes(changes, upTo: Version(upTo)))
    }

    private mutating func reconnect(isServing: Bool = true) {
        client.now = max(client.now, client.core.nextTick)
        client.connect()
        client.receiveHello(isServing: isServing, reason: isServing ? "" : "no majority")
        client.receiveOpened(.resume)
    }

    /// What the last watch that was sent asks for.
    private mutating func sentFrom() throws -> Version? {
        let frame = try #require(
            try client.sent().last { $0.header.type == ClientFrameType.watchKeys.rawValue })
        var reader = ByteReader(frame.body)
        return try KeyWatch(from: &reader).from
    }

    @Test mutating func `a state in pieces is told as a whole, then each change`() {
        receiveState(5, isLast: false, .reply)
        #expect(takeUpdates() == [])
        receiveState(5, isFirst: false)
        receive(.changes([change(6), change(7)], upTo: Version(8)))
        #expect(
            takeUpdates() == [
                state([entry(5), entry(5)], at: 5),
                changes([change(6), change(7)], upTo: 8),
            ])
    }

    @Test mutating func `it is resumed from where nothing is missing, and told none twice`()
        throws
    {
        receiveState(5, .reply)
        // Version 7 comes in two pieces, and the second does not come.
        receive(.changes([change(6), change(7, "a")], upTo: Version(6)))
        client.step(.disconnected(reason: "reset"))
        _ = client.take()
        reconnect()
        #expect(try sentFrom() == Version(6))
        receive(.changes([change(7, "a"), change(7, "b")], upTo: Version(7)), .reply)
        #expect(takeUpdates().dropLast().last == changes([change(7, "b")], upTo: 7))
    }

    private mutating func pause() { client.core.pause(watch, effects: &client.effects) }

    private mutating func resume() { client.core.resume(watch, effects: &client.effects) }

    @Test mutating func `one that is paused is told nothing, and then what it missed`() throws {
        pause()
        #expect(try client.sentTypes() == [], "nothing was told yet")
        receiveState(5, .reply)
        pause()
        pause()
        #expect(try client.sentTypes() == [.unsubscribe])
        _ = client.take()
        // What was on its way is asked for once more.
        receive(.changes([change(6)], upTo: Version(6)))
        client.receive(.serving, .event) {
            ServingState(isServing: false, reason: "no majority").encode(into: &$0)
        }
        #expect(takeUpdates() == [])
        client.receive(.serving, .event) {
            ServingState(isServing: true, reason: "").encode(into: &$0)
        }
        resume()
        resume()
        #expect(try sentFrom() == Version(5))
        _ = client.take()
        // Of the subscription before.
        receive(.changes([change(7)], upTo: Version(7)))
        #expect(takeUpdates() == [])
    }

    @Test(arguments: [true, false])
    mutating func `one that is paused when the connection is lost asks when it goes on`(
        goesOnBefore: Bool
    ) throws {
        receiveState(5, .reply)
        pause()
        client.step(.disconnected(reason: "reset"))
        if goesOnBefore { resume() }
        _ = client.take()
        reconnect()
        if !goesOnBefore {
            #expect(try !client.sentTypes().contains(.watchKeys))
            resume()
        }
        #expect(try sentFrom() == Version(5))
        client.cancel(watch)
        #expect(client.effects.count > 0)
    }

    @Test mutating func `half a state is forgotten with its connection`() throws {
        receiveState(5, isLast: false, .reply)
        client.step(.disconnected(reason: "reset"))
        _ = client.take()
        reconnect()
        #expect(try sentFrom() == nil)
        receiveState(5, isFirst: false)
        #expect(takeUpdates() == [])
        receiveState(9, .reply)
        #expect(takeUpdates() == [state([entry(9)], at: 9)])
    }

    @Test mutating func `whoever cannot be told everything is told that, once`() {
        receiveState(5, .reply)
        client.receive(.serving, .event) {
            ServingState(isServing: false, reason: "no majority").encode(into: &$0)
        }
        client.step(.disconnected(reason: "reset"))
        #expect(
            takeUpdates() == [
                state([entry(5)], at: 5),
                .doubtful(reason: "no majority"),
            ])
        reconnect()
        #expect(takeUpdates() == [])
        let missed = change(6)
        receive(.changes([missed], upTo: Version(6)), .reply)
        #expect(takeUpdates() == [changes([missed], upTo: 6), .assured])
    }

    @Test mutating func `who begins where nobody serves is told that first`() {
        client.receive(.serving, .event) {
            ServingState(isServing: false, reason: "no majority").encode(into: &$0)
        }
        receiveState(5, .reply)
        client.receive(.serving, .event) {
            ServingState(isServing: true, reason: "").encode(into: &$0)
        }
        #expect(
            takeUpdates() == [
                .doubtful(reason: "no majority"),
                state([entry(5)], at: 5), .assured,
            ])
    }

    @Test mutating func `the doubt is over when the daemon serves again`() {
        receiveState(5, .reply)
        for isServing in [false, true] {
            client.receive(.serving, .event) {
                ServingState(isServing: isServing, reason: "r").encode(into: &$0)
            }
        }
        #expect(takeUpdates().dropFirst() == [.doubtful(reason: "r"), .assured])
    }

    @Test mutating func `a resync is told as such`() {
        receiveState(5, .reply)
        receiveState(20, isResync: true)
        #expect(takeUpdates().last == state([entry(20)], at: 20, isResync: true))
    }

    @Test mutating func `one that was asked to begin at a version says so until it is told more`()
        throws
    {
        client.cancel(watch)
        let late = client.query(.watchKeys(KeyWatch(.key(key), from: Version(3))))
        #expect(try sentFrom() == Version(3))
        client.step(.disconnected(reason: "reset"))
        reconnect()
        #expect(try sentFrom() == Version(3))
        #expect(late != watch)
    }
}
