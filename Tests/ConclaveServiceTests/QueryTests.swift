import ConclaveBase
import ConclaveCoordination
import ConclaveService
import ConclaveWire
import Testing

@Suite struct `Queries` {
    private let group = TestGroup()
    private let slot: ObjectName
    private let asker: ConnectionID
    private var daemon: TestDaemon { group[0] }

    init() throws {
        slot = try ObjectName("scheduler")
        asker = group[0].connect(pid: 99)
        group[0].hello(asker)
        _ = try group[0].received(asker)
    }

    private func ask(_ subject: ObjectQuery.Subject, number: UInt64, isLocal: Bool = false) {
        let query = ObjectQuery(subject, isLocal: isLocal)
        daemon.send(query.type, number: number, asker) { query.encode(into: &$0) }
    }

    private func leaders(_ frames: [FrameBuffer.Frame]) throws -> [UInt32?] {
        try frames.filter { $0.header.type == ClientFrameType.observeLeader.rawValue }
            .map { frame in
                var reader = ByteReader(frame.body)
                return try LeaderState(from: &reader).leaders.first?.pid
            }
    }

    @Test func `status says what the daemon knows of itself and of the group`() throws {
        _ = try daemon.connectWithSession()
        daemon.send(.status, number: 3, asker)
        let frame = try #require(try daemon.received(asker).first)
        #expect(frame.header.number == 3)
        var reader = ByteReader(frame.body)
        let status = try StatusReport(from: &reader)
        #expect(status.node == NodeID(1))
        #expect(status.rank == 0)
        #expect(status.serving.isServing)
        #expect(status.sessions == 1)
        #expect(status.members.map(\.state) == [.member, .absent])
        #expect(status.members[0].address == "10.0.0.1:7400")
        #expect(status.members[0].incarnation == 100)
        #expect(status.members[1].rank == nil)
    }

    @Test func `locks and why tell how long the holders here stay valid`() throws {
        let (id, _) = try daemon.connectWithSession()
        daemon.request(try lock("db/a"), number: 1, id)
        group.advance(.milliseconds(50))
        ask(.locks(prefix: "db/", after: nil), number: 1)
        ask(.locks(prefix: "x", after: nil), number: 2)
        ask(.why(try ObjectName("db/a")), number: 3)
        let frames = try daemon.received(asker)
        var reader = ByteReader(frames[0].body)
        let page = try ObjectPage(from: &reader)
        #expect(page.objects.map { $0.holders.map(\.remaining) } == [[.milliseconds(4_900)]])
        #expect(page.next == nil)
        reader = ByteReader(frames[1].body)
        #expect(try ObjectPage(from: &reader).objects.isEmpty)
        reader = ByteReader(frames[2].body)
        let why = try WhyReport(from: &reader)
        #expect(why.objects.first?.holders.first?.remaining == .milliseconds(4_900))
    }

    @Test func `locks come in pages, each of which fits a frame`() throws {
        let (id, _) = try daemon.connectWithSession()
        let prefix = String(repeating: "x", count: 240)
        for number in 1...1_000 {
            let operation = Operation.acquire(
                name: try ObjectName("\(prefix)/\(number)"), mode: .exclusive, isTry: false)
            daemon.request(
                operation, number: UInt64(number), confirmed: UInt64(number - 1), id)
        }
        var names: [ObjectName] = []
        var after: ObjectName?
        repeat {
            ask(.locks(prefix: prefix, after: after), number: 1)
            let frame = try #require(try daemon.received(asker).first)
            var reader = ByteReader(frame.body)
            let page = try ObjectPage(from: &reader)
            names += page.objects.map(\.name)
            after = page.next
        } while after != nil
        #expect(names.count == 1_000)
        #expect(names == names.sorted())
    }

    @Test func `what others were told before it was asked is in the answer, unless it is local`()
        throws
    {
        let (id, _) = try daemon.connectWithSession(pid: 7)
        daemon.request(.campaign(slot: slot, value: []), number: 1, id)
        group.isHeld = true
        ask(.leader(slot), number: 4)
        ask(.why(slot), number: 5)
        ask(.locks(prefix: "", after: nil), number: 6)
        #expect(try daemon.received(asker).isEmpty)
        ask(.leader(slot), number: 7, isLocal: true)
        let local = try daemon.received(asker)
        #expect(local.map(\.header.number) == [7])
        #expect(try leaders(local) == [7])
        group.order()
        #expect(try daemon.received(asker).map(\.header.number) == [4, 5, 6])
    }

    @Test func `an observer is told the present state, then each change, also nobody`() throws {
        ask(.leader(slot), number: 4)
        let (id, _) = try daemon.connectWithSession(pid: 7)
        daemon.request(.campaign(slot: slot, value: []), number: 1, id)
        let token = try #require(try daemon.received(id).replies.first?.reply.token)
        daemon.request(.resign(slot: slot, token: token), number: 2, id)
        let frames = try daemon.received(asker)
        #expect(try leaders(frames) == [nil, 7, nil])
        #expect(frames.map(\.header.flags) == [.reply, .event, .event])
        #expect(frames.allSatisfy { $0.header.number == 4 })

        daemon.send(.unsubscribe, number: 5, asker) { $0.integer(UInt64(4)) }
        daemon.request(.campaign(slot: slot, value: []), number: 3, id)
        #expect(try daemon.received(asker).map(\.header.number) == [5])
    }

    @Test func `a user observes so often and no more, views included`() throws {
        for number in 1...UInt64(299) { ask(.leader(slot), number: number) }
        daemon.send(.views, number: 300, asker) { $0.flag(true) }
        ask(.leader(slot), number: 301)
        daemon.send(.views, number: 302, asker) { $0.flag(true) }
        #expect(
            try daemon.received(asker).refusals.map(\.code) == [.quotaExceeded, .quotaExceeded])
        daemon.step(.client(.closed(asker)))
        let next = daemon.connect(pid: 8)
        daemon.hello(next)
        _ = try daemon.received(next)
        daemon.send(.views, number: 1, next) { $0.flag(true) }
        #expect(try daemon.received(next).refusals.isEmpty)
    }

    @Test func `an observer that does not read is told who leads when it does`() throws {
        ask(.leader(slot), number: 4)
        let (id, _) = try daemon.connectWithSession(pid: 7)
        _ = try daemon.received(asker)
        daemon.step(.client(.stalled(asker, byteCount: 2 << 20)))
        daemon.request(.campaign(slot: slot, value: []), number: 1, id)
        let token = try #require(try daemon.received(id).replies.first?.reply.token)
        daemon.request(.resign(slot: slot, token: token), number: 2, id)
        daemon.request(.campaign(slot: slot, value: []), number: 3, id)
        #expect(try daemon.received(asker).isEmpty)

        daemon.step(.client(.drained(asker)))
        let frames = try daemon.received(asker)
        #expect(try leaders(frames) == [7])
        #expect(frames.map(\.header.flags) == [.event])
    }

    /// What leaders announce goes to observers as each turn has room.
    @Test func `no turn tells observers more than it may`() throws {
        let count = 250 as UInt64
        for number in 1...count { ask(.leader(slot), number: number) }
        let value = Array(repeating: 1 as UInt8, count: 3_800)
        for pid in 1...3 as ClosedRange<UInt32> {
            _ = try daemon.received(asker)
            let (id, _) = try daemon.connectWithSession(pid: pid)
            daemon.request(.campaign(slot: slot, value: value, places: 3), number: 1, id)
        }
        let frames = try daemon.received(asker)
        #expect(Set(frames.map(\.header.number)) == Set(1...count))
        #expect(daemon.turns.suffix(4).count { $0 > 512 << 10 } > 2, "\(daemon.turns.suffix(8))")
        #expect(daemon.turns.allSatisfy { $0 < (1 << 20) + 16 << 10 })
    }

    @Test func `who follows views and does not read is cut, and told so`() throws {
        daemon.send(.views, number: 4, asker) { $0.flag(true) }
        _ = try daemon.received(asker)
        daemon.step(.client(.stalled(asker, byteCount: 2 << 20)))
        for _ in 0..<2 { group.install([daemon.member]) }
        let frames = try daemon.received(asker)
        #expect(frames.count == 1)
        #expect(frames[0].header.flags == [.event, .error, .last])
        #expect(frames.refusals.map(\.code) == [.unavailable])
        #expect(frames.refusals[0].message.contains("resync"))
    }

    @Test func `changes that were not told are found when the state is replaced`() throws {
        ask(.leader(slot), number: 4)
        let (id, _) = try daemon.connectWithSession(pid: 7)
        daemon.isDeaf = true
        daemon.request(.campaign(slot: slot, value: []), number: 1, id)
        _ = try daemon.received(asker)
        daemon.isDeaf = false
        group.replaceState(of: daemon)
        #expect(try leaders(try daemon.received(asker)) == [7])
        group.replaceState(of: daemon)
        #expect(try leaders(try daemon.received(asker)) == [])
    }

    @Test func `whoever follows views is told each one`() throws {
        daemon.send(.views, number: 4, asker) { $0.flag(true) }
        daemon.send(.views, number: 5, asker) { $0.flag(false) }
        _ = try daemon.received(asker)
        group.install([daemon.member])
        let frames = try daemon.received(asker)
            .filter { $0.header.type == ClientFrameType.views.rawValue }
        #expect(frames.map(\.header.number) == [4])
        var reader = ByteReader(frames[0].body)
        #expect(try ViewReport(from: &reader).epoch == group.view.epoch)
    }

    @Test func `a connection asks or follows so many things at a time and no more`() throws {
        ask(.leader(slot), number: 1_025)
        group.isHeld = true
        for number in 1...1_024 { ask(.why(slot), number: UInt64(number)) }
        group.isHeld = false
        group.order()
        let frames = try daemon.received(asker)
        #expect(frames.count == 1_025)
        #expect(frames.refusals.map(\.code) == [.quotaExceeded])
    }
}
