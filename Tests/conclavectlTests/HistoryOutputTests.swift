import Conclave
import ConclaveBase
import ConclaveWire
import Testing

@testable import conclavectl

@Suite struct `A history that is printed` {
    private let holder = HistoryHolder(
        process: HistoryHolder.Process(session: SessionID(5), host: NodeID(1), pid: 4_711),
        uid: 0, label: "migrate\u{1B}.sh")

    private func holding(_ mode: LockMode = .exclusive) -> HistoryHolding {
        HistoryHolding(
            holder: holder, token: FencingToken(77), since: Timestamp(microseconds: 0), mode: mode)
    }

    private func history(
        _ kind: HistoryKind, _ events: [ObjectEvent], floor: UInt64 = 0,
        states: [HistoryState] = [], next: UInt64? = nil
    ) throws -> ObjectHistory {
        let entries = events.enumerated().map { index, event in
            HistoryEntry(
                ordinal: UInt64(index), version: Version(77 + UInt64(index)),
                time: Timestamp(microseconds: 1_000_000), epoch: Epoch(4), kind: kind, event: event)
        }
        return ObjectHistory(
            "db/migrate",
            HistoryReport(
                version: Version(99), floor: Version(floor), floorTime: .zero, states: states,
                entries: entries.reversed(), next: next))
    }

    private let who = "session 5 (node 1, pid 4711, uid 0, migrate?.sh)"

    @Test func `has a line for each event: when, at which version, what, who and why`() throws {
        let text = try history(
            .lock, [.granted(holding()), .ended(holding(), .hostLost)]
        ).text(at: nil)
        #expect(
            text == """
                1970-01-01T00:00:01.000Z  version 77  view 4  lock granted to \(who), token 77
                1970-01-01T00:00:01.000Z  version 78  view 4  lock lost, since its host was lost, \
                by \(who), token 77; since 1970-01-01T00:00:00.000Z
                nothing that happened before is missing
                """)
    }

    @Test func `says who held it at a moment`() throws {
        let state = HistoryState(
            kind: .lock, holdings: [holding(.permits(2, of: 3))], holderCount: 300)
        let text = try history(
            .lock, [.granted(holding(.permits(2, of: 3)))], floor: 9, states: [state]
        ).text(at: "version 80")
        #expect(
            text == """
                at version 80 lock db/migrate was held by
                  \(who), 2 permits, token 77, since 1970-01-01T00:00:00.000Z
                  and 299 more
                1970-01-01T00:00:01.000Z  version 77  view 4  lock granted to \(who), 2 permits, \
                token 77
                the history is whole after version 9, 1970-01-01T00:00:00.000Z
                """)
        let nobody = HistoryState(kind: .leaderSlot, holdings: [], holderCount: 0)
        #expect(
            try history(.lock, [], states: [nobody]).text(at: "version 80")
                == "at version 80 leader slot db/migrate was led by nobody\n"
                + "nothing has happened to db/migrate before version 80; of keys, latches and task "
                + "groups no history is kept here")
    }

    @Test func `calls nothing whole of which older events are left out`() throws {
        let events: [ObjectEvent] = [.ended(holding(), .died)]
        for floor in [UInt64(0), 9] {
            let lines = try history(.lock, events, floor: floor, next: 0).text(at: nil)
                .split(separator: "\n")
            #expect(lines.first == "older events are left out: see --limit")
            #expect(lines.count == 2)
        }
    }

    @Test func `says so if nothing is known`() throws {
        #expect(
            try history(.lock, []).text(at: nil)
                == "nothing has happened to db/migrate; of keys, latches and task groups no "
                + "history is kept here")
        #expect(
            try history(.lock, [], floor: 9).text(at: nil)
                == "nothing is known to have happened to db/migrate; the history is whole after "
                + "version 9, 1970-01-01T00:00:00.000Z")
    }

    @Test func `of a barrier names who broke it, and of a slot who handed over`() throws {
        let generation = HistoryGeneration(number: 7, parties: 4, arrivedCount: 3)
        let text = try history(
            .barrier, [.tripped(generation), .broken(generation, .timedOut, by: holder)]
        ).text(at: nil)
        #expect(text.contains("barrier tripped: generation 7, 4 parties"))
        #expect(
            text.contains(
                "barrier broken by \(who), who waited as long as it would: generation 7, 3 of 4 "
                    + "had arrived"))
        let slot = try history(.leaderSlot, [.ended(holding(), .handedOver)]).text(at: nil)
        #expect(slot.contains("leader slot handed over by \(who), term 77; since"))
    }

    @Test func `of a barrier for one counts one party`() throws {
        let generation = HistoryGeneration(number: 7, parties: 1, arrivedCount: 1)
        let text = try history(.barrier, [.tripped(generation)]).text(at: nil)
        #expect(text.contains("generation 7, 1 party\n"))
    }

    @Test func `of a lock tells who has changed its limit, and when it was closed`() throws {
        let told = try history(
            .lock, [.limited(from: 2, to: 5, by: holder), .closed(.seconds(15)), .opened])
        let text = told.text(at: nil)
        #expect(text.contains("lock limited to 5 permits instead of 2 by \(who)"))
        #expect(text.contains("lock closed for 15 s, since a holder was lost"))
        #expect(text.contains("lock open again"))
        let json = told.json.description
        #expect(json.contains(#""limitBefore":2,"limit":5"#))
        #expect(json.contains(#""what":"closed","reason":null,"closedForMilliseconds":15000"#))
    }

    @Test func `as JSON has all of it`() throws {
        let json = try history(.lock, [.ended(holding(), .died)], floor: 9).json.description
        #expect(
            json
                == #"{"name":"db/migrate","version":99,"floor":9,"#
                + #""floorTime":"1970-01-01T00:00:00.000Z","states":[],"events":[{"version":77,"#
                + #""time":"1970-01-01T00:00:01.000Z","epoch":4,"kind":"lock","what":"ended","#
                + #""reason":"died","holding":{"session":5,"host":1,"pid":4711,"uid":0,"#
                + #""label":"migrate\u001b.sh","token":77,"since":"1970-01-01T00:00:00.000Z","#
                + #""mode":"exclusive","place":0}}],"hasOlder":false}"#)
    }
}
