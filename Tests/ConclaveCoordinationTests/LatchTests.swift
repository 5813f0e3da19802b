import ConclaveBase
import ConclaveCoordination
import ConclaveWire
import TestSupport
import Testing

@Suite struct `Latches` {
    private var stage = Stage()
    private let name = ObjectName(known: "started")
    private let sessions: [SessionID]
    private var numbers: [SessionID: UInt64] = [:]

    init() {
        sessions = stage.open(all: 1...4)
    }

    /// The number of one request more.
    @discardableResult
    private mutating func ask(
        _ action: LatchOperation.Action, _ party: Int, of other: ObjectName? = nil
    ) -> UInt64 {
        let session = sessions[party]
        numbers[session, default: 0] += 1
        let number = numbers[session]!
        stage.request(session, number, .latch(LatchOperation(other ?? name, action)))
        return number
    }

    private func remains(_ remaining: UInt32, of count: UInt32) -> Reply {
        .counted(LatchState(name: name, count: count, remaining: remaining))
    }

    @Test mutating func `it opens for all who wait when it was counted down often enough`() {
        let early = ask(.wait(of: 2), 0)
        #expect(stage.position(of: early, of: sessions[0]) == 2)
        let first = ask(.countDown(of: 2), 1)
        #expect(stage.reply(to: first, of: sessions[1]) == remains(1, of: 2))
        let late = ask(.wait(of: 2), 2)
        #expect(stage.reply(to: late, of: sessions[2]) == nil)
        let last = ask(.countDown(of: 2), 1)
        #expect(stage.effects.count == 3)
        #expect(stage.reply(to: last, of: sessions[1]) == remains(0, of: 2))
        #expect(stage.reply(to: early, of: sessions[0]) == remains(0, of: 2))
        #expect(stage.reply(to: late, of: sessions[2]) == remains(0, of: 2))
    }

    @Test mutating func `what was counted stays when sessions end, and open stays open`() throws {
        ask(.countDown(of: 2), 0)
        stage.end(sessions[0], .died)
        stage.time = Timestamp(microseconds: 3_000_000)
        ask(.countDown(of: 2), 1)
        for session in sessions[1...2] {
            stage.end(session, .goodbye)
        }
        let report = try #require(stage.coordinator.latchReport(name))
        #expect(report.opened == stage.time && report.uid == 1_000)
        let late = ask(.wait(of: 2), 3)
        #expect(stage.reply(to: late, of: sessions[3]) == remains(0, of: 2))
        let again = ask(.countDown(of: 2), 3)
        #expect(stage.reply(to: again, of: sessions[3]) == remains(0, of: 2))
    }

    @Test mutating func `a count-down that is repeated counts once`() {
        let number = ask(.countDown(of: 3), 0)
        for _ in 0..<2 {
            stage.request(sessions[0], number, .latch(LatchOperation(name, .countDown(of: 3))))
            #expect(stage.reply(to: number, of: sessions[0]) == remains(2, of: 3))
        }
        #expect(stage.coordinator.latchReport(name)?.state.remaining == 2)
    }

    @Test mutating func `another count is refused, and both are named`() throws {
        ask(.countDown(of: 3), 0)
        for action in [LatchOperation.Action.countDown(of: 4), .wait(of: 4)] {
            let number = ask(action, 1)
            guard case .refused(let refusal) = stage.reply(to: number, of: sessions[1]) else {
                Issue.record("\(action) is not refused")
                continue
            }
            #expect(refusal.code == .invalid)
            #expect(refusal.message.contains("count of 3, not of 4"))
        }
        #expect(stage.coordinator.latchReport(name)?.state.remaining == 2)
    }

    @Test mutating func `who gives up or ends is forgotten, and so is what nobody has counted`() {
        let given = ask(.wait(of: 2), 0)
        ask(.wait(of: 2), 1)
        #expect(stage.coordinator.why(name).objects.map(\.waiterCount) == [2])
        numbers[sessions[0]]! += 1
        stage.request(sessions[0], 2, .cancel(number: given, reason: .timedOut))
        #expect(stage.reply(to: given, of: sessions[0]) == .cancelled)
        #expect(stage.reply(to: 2, of: sessions[0]) == .cancelOutcome(wasCancelled: true))
        #expect(stage.coordinator.latchReport(name)?.waiterCount == 1)
        stage.end(sessions[1], .died)
        #expect(stage.coordinator.objectCount == 0)
        let anew = ask(.countDown(of: 5), 0)
        #expect(stage.reply(to: anew, of: sessions[0]) == remains(4, of: 5))
    }

    @Test mutating func `its own user removes it, and who waits is refused`() {
        let none = ask(.remove, 0)
        #expect(stage.refusal(of: none, of: sessions[0]) == .refused)
        ask(.countDown(of: 2), 0)
        let waiter = ask(.wait(of: 2), 1)
        stage.apply(.open(Stage.open(9, uid: 7)))
        let stranger = SessionID(stage.version.number)
        stage.request(stranger, 1, .latch(LatchOperation(name, .remove)))
        #expect(stage.refusal(of: 1, of: stranger) == .denied)
        let removal = ask(.remove, 2)
        #expect(stage.reply(to: removal, of: sessions[2]) == .done)
        #expect(stage.refusal(of: waiter, of: sessions[1]) == .refused)
        #expect(stage.coordinator.objectCount == 0)
    }

    @Test mutating func `it counts while grants are suspended, and outlives a lost history`() {
        stage.install(Stage.members, historyWasGivenUp: true)
        #expect(stage.coordinator.grantsAreSuspended)
        let session = stage.open(8)
        for number in 1...2 as ClosedRange<UInt64> {
            stage.request(session, number, .latch(LatchOperation(name, .countDown(of: 2))))
        }
        #expect(stage.reply(to: 2, of: session) == remains(0, of: 2))
        stage.install(Stage.members, historyWasGivenUp: true)
        #expect(stage.coordinator.latchReport(name)?.state.remaining == 0)
    }

    @Test mutating func `a user has no more of them than the quota allows, and so are waiters`() {
        var quotas = Quotas()
        quotas.latchesPerUID = 1
        quotas.waitersPerObject = 1
        stage = Stage(quotas: quotas)
        let session = stage.open(1)
        let other = ObjectName(known: "other")
        let operations = [
            LatchOperation(name, .wait(of: 2)), LatchOperation(name, .wait(of: 2)),
            LatchOperation(other, .countDown(of: 1)), LatchOperation(name, .remove),
            LatchOperation(other, .countDown(of: 1)),
        ]
        var refused: [UInt64] = []
        for (number, operation) in zip(UInt64(1)..., operations) {
            stage.request(session, number, .latch(operation))
            if stage.refusal(of: number, of: session) == .quotaExceeded { refused.append(number) }
        }
        #expect(refused == [2, 3])
        guard case .refused(let refusal)? = stage.reply(to: 2, of: session) else { return }
        #expect(refusal.message.hasSuffix("wait once a process, or for another latch"))
    }

    @Test mutating func `they are listed by name, a page at a time`() {
        for index in 0...ClientLimits.listedObjects {
            ask(.countDown(of: 2), 0, of: ObjectName(known: "b/\(1_000 + index)"))
        }
        let first = stage.coordinator.latchPage(prefix: "b/")
        #expect(first.latches.count == ClientLimits.listedObjects)
        let second = stage.coordinator.latchPage(prefix: "b/", after: first.next)
        #expect(second.latches.count == 1 && second.next == nil)
        #expect(
            stage.coordinator.latchPage(prefix: "b/", after: second.latches[0].state.name).latches
                .isEmpty)
    }

    @Test mutating func `a snapshot that says of one what cannot be is refused`() throws {
        stage.time = Timestamp(microseconds: 0x0102_0304_0506)
        ask(.countDown(of: 0x0A0B_0C0D), 0)
        var snapshot = stage.coordinator.encodeSnapshot()
        #expect(try Coordinator(snapshot: snapshot).digest == stage.coordinator.digest)
        var writer = ByteWriter()
        writer.name(name)
        writer.integer(UInt32(0))
        writer.integer(UInt32(0x0A0B_0C0D))
        let place = try #require(snapshot.firstRange(of: writer.bytes))
        snapshot[place.upperBound - 4] = 0
        #expect(throws: WireError.self) { try Coordinator(snapshot: snapshot) }
    }
}
