import ConclaveBase
import ConclaveSimulation
import ConclaveWire
import Testing

@Suite struct `History files` {
    private static let name = HistoryBuilder.name("a/\"b\"\\ü")

    private static let kinds: [HistoryEvent.Kind] = [
        .opened(SessionID(7)), .gaveUp, .goodbye, .closed, .lost(since: 3), .died(since: nil),
        .died(since: 9),
        .called(HistoryCall(.delayedLock, name)), .called(HistoryCall(.lock, name)),
        .called(HistoryCall(.tryShare, name)),
        .called(HistoryCall(.release(4), name)),
        .called(HistoryCall(.downgrade(4), name)),
        .called(HistoryCall(.upgrade(4), name)),
        .called(HistoryCall(.campaign(value: [0, 255]), name)),
        .called(HistoryCall(.campaign(value: [], places: 3), name)),
        .called(HistoryCall(.handOver(FencingToken(9), to: SessionID(12)), name)),
        .called(HistoryCall(.announce(4, 16), name)), .called(HistoryCall(.resign(5), name)),
        .called(HistoryCall(.arrive(9), name)),
        .called(
            HistoryCall(
                .arrive(parties: 3, rank: 2, generation: 8, payload: []), name)),
        .called(
            HistoryCall(
                .transact(
                    KeyTransaction(
                        compares: [KeyCompare(name, .version(Version(3)))],
                        operations: [.put(name, value: [1], isEphemeral: true), .delete(name)])),
                name)),
        .answered(.written(KeysWritten(version: Version(9), changedCount: 2))),
        .answered(
            .mismatched(KeyMismatch(version: Version(9), index: 0, key: name, found: nil))),
        .read(
            HistoryRead(
                asked: 7, query: KeyQuery(.key(name), isLocal: true),
                report: KeyReport(version: Version(9), age: nil, entries: []))),
        .watched(
            HistoryWatch(
                watch: KeyWatch(.prefix("a"), from: Version(2)),
                news: .changes([], upTo: Version(9)))),
        .answered(.granted(.max, after: .died)), .answered(.busy(3)),
        .answered(.busy(holder: nil)), .answered(.elected(9, after: .released, [1, 2])),
        .answered(.elected(9, place: 2)),
        .answered(.done), .answered(.tripped(5, rank: 1, 1, 2)), .answered(.broken(5)),
        .answered(.cancelled), .answered(.unknown), .answered(.refused(.notHeld)),
        .observed(
            HistoryObservation(slot: name, version: Version(8), token: nil, value: [])),
        .observed(
            HistoryObservation(
                slot: name, version: Version(8), token: FencingToken(5), value: [1])),
    ]

    @Test(arguments: kinds)
    func `each line is read as it was written`(kind: HistoryEvent.Kind) throws {
        let event = HistoryEvent(at: 12, process: 4, call: 3, kind)
        #expect(try HistoryEvent(line: event.line) == event)
    }

    @Test func `a line may have blanks and fields in any order`() throws {
        let line = #" { "event" : "gaveUp" , "call":3,"process":4, "at":12 } "#
        #expect(
            try HistoryEvent(line: line) == HistoryEvent(at: 12, process: 4, call: 3, .gaveUp))
    }

    @Test(arguments: [
        ("", HistoryError.malformed(offset: 0)),
        ("{", .malformed(offset: 1)),
        ("[]", .malformed(offset: 0)),
        (#"{"at":1"#, .malformed(offset: 7)),
        (#"{"at":1} x"#, .malformed(offset: 9)),
        (#"{"at":99999999999999999999}"#, .malformed(offset: 6)),
        (#"{"at":-1}"#, .malformed(offset: 6)),
        (#"{"at":{}}"#, .malformed(offset: 6)),
        (#"{"at":"\x"}"#, .malformed(offset: 8)),
        (#"{"at":"\u00"}"#, .malformed(offset: 9)),
        (#"{"at":1,"at":2}"#, .twice(key: "at")),
        (#"{"at":1,"event":"died"}"#, .missing(key: "process")),
        (#"{"at":1,"process":2,"event":"died","why":"so"}"#, .unknown(key: "why")),
        (#"{"at":1,"process":2,"event":"flew"}"#, .invalid(key: "event", value: "flew")),
        (
            #"{"at":1,"process":2,"event":"called","do":"release","name":"","token":1}"#,
            .invalid(key: "name", value: "")
        ),
        (
            #"{"at":1,"process":2,"event":"answered","answer":"refused","code":"x"}"#,
            .invalid(key: "code", value: "x")
        ),
        (
            #"{"at":1,"process":2,"event":"called","do":"campaign","name":"a","value":"0"}"#,
            .invalid(key: "value", value: "0")
        ),
    ])
    func `what is wrong with a line is named`(line: String, error: HistoryError) {
        #expect(throws: error) { try HistoryEvent(line: line) }
    }

    @Test func `a line that is too long is not read`() {
        let line = #"{"at":1,"x":""# + String(repeating: "y", count: 1 << 20) + #""}"#
        #expect(throws: HistoryError.lineTooLong(byteCount: line.utf8.count, maximum: 1 << 20)) {
            try HistoryEvent(line: line)
        }
    }

    @Test(arguments: [
        #"{"at":1,"process":2,"call":1,"event":"answered","answer":"done"}"#,
        #"{"at":1,"process":2,"call":1,"event":"gaveUp"}"#,
    ])
    func `what nobody asked is not answered`(line: String) {
        #expect(throws: HistoryError.self) { try History(lines: [line[...]]) }
    }

    @Test func `lines may be empty, and processes may be strangers`() throws {
        let lines = """

            {"at":1,"process":2,"event":"opened","session":7}
            {"at":2,"process":2,"call":1,"event":"called","do":"acquire","name":"a","mode":"shared"}
            {"at":3,"process":2,"call":1,"event":"answered","answer":"granted","token":9,"after":"none"}
            {"at":4,"process":3,"event":"died"}
            """
        var checker = HistoryChecker(
            try History(lines: lines.split(separator: "\n", omittingEmptySubsequences: false)))
        try checker.check()
        #expect(checker.objectCount == 1)
        #expect(checker.undecidedCount == 0)
    }

    @Test func `a long history of many who compete is decided in about a step an operation`()
        throws
    {
        var story = HistoryBuilder()
        let processes = UInt64(1)...8
        for process in processes { story.open(process) }
        var token: UInt64 = 100
        for round in UInt64(1)...500 {
            for process in processes { story.call(process, 2 * round, .lock) }
            for process in processes {
                token += 2
                story.answer(process, 2 * round, .granted(token, after: .none))
                story.run(process, 2 * round + 1, .release(token), .done)
            }
        }
        let checker = try story.check()
        #expect(checker.undecidedCount == 0)
        #expect(checker.stepCount < 20_000)
    }
}
