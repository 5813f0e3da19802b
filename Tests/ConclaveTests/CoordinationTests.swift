import Conclave
import ConclaveBase
import ConclaveWire
import TestSupport
import Testing

@Suite struct `Leaders and barriers` {
    @Test func `a leader sees what the one before published, and resigns at the end`() async throws
    {
        let daemon = ScriptedDaemon()
        defer { daemon.stop() }
        let conclave = try await Conclave.connect(socket: daemon.path)
        let token = try await conclave.withLeadership(of: "scheduler", value: "http://a") { term in
            #expect(term.previousValue == [1])
            #expect(term.previousEnd == .died)
            #expect(term.isValid)
            try await term.announce("http://b")
            return term.token
        }
        let slot = try ObjectName("scheduler")
        let campaigns = daemon.requests(.campaign).map(\.operation)
        guard case .campaign(slot, Array("http://a".utf8), 0, nil, let task)? = campaigns.last
        else {
            Issue.record("\(campaigns)")
            return
        }
        #expect(task.number > 0 && task.within.isEmpty, "the body is a task of its own")
        #expect(
            daemon.requests(.announce).map(\.operation)
                == [.announce(slot: slot, token: token, value: Array("http://b".utf8))])
        #expect(daemon.requests(.resign).map(\.operation) == [.resign(slot: slot, token: token)])
    }

    @Test func `an observer sees the present leader, then that there is none`() async throws {
        let slot = try ObjectName("scheduler")
        let leader = LeaderState.Leader(
            session: SessionID(3), host: NodeID(2), pid: 815, label: "s", token: FencingToken(4),
            value: Array("url".utf8), since: Timestamp(microseconds: 1))
        let states = [
            LeaderState(slot: slot, leaders: [leader], standbyCount: 1, version: Version(4)),
            LeaderState(slot: slot, leaders: [], standbyCount: 0, version: Version(5)),
        ].map { state in
            var writer = ByteWriter()
            state.encode(into: &writer)
            return writer.bytes
        }
        let daemon = ScriptedDaemon { request in
            request.type == .observeLeader ? [.report(states[0]), .event(states[1])] : []
        }
        defer { daemon.stop() }
        let conclave = try await Conclave.connect(socket: daemon.path)
        var changes: [LeaderChange] = []
        for try await change in conclave.leader(of: "scheduler") {
            changes.append(change)
            if changes.count == 2 { break }
        }
        #expect(changes[0].leader?.text == "url")
        #expect(changes[0].standbyCount == 1)
        #expect(changes[1].leader == nil)
        await daemon.receives(.unsubscribe)
        #expect(daemon.requests(.open).isEmpty)
    }

    /// A session that wakes a task under its lock locks itself up here: whoever cancels a task has that
    /// task's status, and comes to the session by the end of its stream.
    @Test(.timeLimit(.minutes(2)))
    func
        `an observer that is cancelled while it is told something ends, and nobody else is held up`()
        async throws
    {
        var writer = ByteWriter()
        LeaderState(
            slot: try ObjectName("s"), leaders: [], standbyCount: 0, version: Version(4)
        ).encode(into: &writer)
        let state = writer.bytes
        let daemon = ScriptedDaemon { request in
            request.type == .observeLeader ? [.report(state)] : []
        }
        defer { daemon.stop() }
        let conclave = try await Conclave.connect(socket: daemon.path)
        for round in 1...300 {
            let observer = Task { for try await _ in conclave.leader(of: "s") {} }
            await daemon.receives(.observeLeader, count: round)
            let number = try #require(daemon.requests(.observeLeader).last).number
            let teller = Task {
                for _ in 0..<40 {
                    daemon.send(.observeLeader, .event, number: number, state)
                    await Task.yield()
                }
            }
            observer.cancel()
            await teller.value
            _ = await observer.result
        }
        await daemon.receives(.unsubscribe)
    }

    @Test func `a leader that hands over leads no more, unless that is refused`() async throws {
        let term = FencingToken(40)
        let daemon = ScriptedDaemon { request in
            switch request.operation {
            case .campaign(let slot, _, _, _, _)?:
                let elected = ConclaveWire.Term(
                    slot: slot, token: term, previousEnd: .none, previousValue: [])
                return [.reply(.elected(elected))]
            case .handOver(_, term, SessionID(7))?: return [.reply(.done)]
            case .handOver?: return [.reply(.refused(Refusal(.refused, "does not stand by")))]
            default: return []
            }
        }
        defer { daemon.stop() }
        let conclave = try await Conclave.connect(socket: daemon.path)
        try await conclave.withLeadership(of: "scheduler") { term in
            let error = await #expect(throws: ConclaveError.self) {
                try await term.handOver(to: SessionID(8))
            }
            #expect(error?.code == .refused)
            #expect(term.isValid)
            try await term.handOver(to: SessionID(7))
            #expect(!term.isValid)
        }
        #expect(daemon.requests(.resign).isEmpty)
    }

    @Test func `a term is given back that a hand-over on its way did not give away`() async throws {
        let slot = try ObjectName("scheduler")
        let daemon = ScriptedDaemon { request in
            guard case .campaign = request.operation else { return [] }
            let elected = ConclaveWire.Term(
                slot: slot, token: FencingToken(9), previousEnd: .none, previousValue: [])
            return [.reply(.elected(elected))]
        }
        defer { daemon.stop() }
        let conclave = try await Conclave.connect(socket: daemon.path)
        let handingOver = try await conclave.withLeadership(of: "scheduler") { term in
            let task = Task { try await term.handOver(to: SessionID(8)) }
            await daemon.receives(.handOver)
            return task
        }
        #expect(daemon.requests(.resign).isEmpty)
        var writer = ByteWriter()
        Reply.refused(Refusal(.unavailable, "not now")).encode(into: &writer)
        let number = try #require(daemon.requests(.handOver).first).number
        daemon.send(.handOver, .reply, number: number, writer.bytes)
        await #expect(throws: ConclaveError.self) { try await handingOver.value }
        await daemon.receives(.resign)
    }

    @Test func `all parties of a barrier are told of each other`() async throws {
        let name = try ObjectName("step")
        let party = BarrierParty(
            rank: 0, host: NodeID(1), pid: 5, arrivedAt: Timestamp(microseconds: 7),
            payload: Array("here".utf8))
        let daemon = ScriptedDaemon { request in
            guard case .arrive = request.operation else { return [] }
            return [
                .reply(
                    .tripped(BarrierResult(name: name, generation: 3, rank: 0, parties: [party])))
            ]
        }
        defer { daemon.stop() }
        let conclave = try await Conclave.connect(socket: daemon.path)
        let generation = try await conclave.barrier("step", parties: 1, rank: 0, payload: "here")
            .arriveAndWait()
        #expect(generation.number == 3)
        #expect(generation.parties.map(\.text) == ["here"])
        #expect(
            daemon.requests(.arrive).map(\.operation)
                == [
                    .arrive(
                        BarrierArrival(
                            name: name, parties: 1, rank: 0, payload: Array("here".utf8)))
                ])
    }

    @Test func `a broken barrier says who is missing`() async throws {
        let broken = BarrierBreak(
            name: try ObjectName("step"), generation: 3, reason: .partyEnded,
            message: "rank 1 died",
            missing: [BarrierAbsence(rank: 1, host: NodeID(2), pid: 99, hasEnded: true)],
            arrivedCount: 1, parties: 2)
        let daemon = ScriptedDaemon { request in
            if case .arrive = request.operation { [.reply(.broken(broken))] } else { [] }
        }
        defer { daemon.stop() }
        let conclave = try await Conclave.connect(socket: daemon.path)
        let error = await #expect(throws: ConclaveError.self) {
            try await conclave.barrier("step", parties: 2).arriveAndWait()
        }
        #expect(error?.code == .barrierBroken)
        #expect(error?.barrierReport?.reason == .partyEnded)
        #expect(error?.barrierReport?.missing.map(\.rank) == [1])
        #expect(error?.barrierReport?.missing.first?.hasEnded == true)
    }

    @Test(arguments: [(0, nil), (-1, nil), (2, 2), (2, -1), (100_001, nil)] as [(Int, Int?)])
    func `impossible parties and ranks are refused without asking`(parties: Int, rank: Int?)
        async throws
    {
        let daemon = ScriptedDaemon()
        defer { daemon.stop() }
        let conclave = try await Conclave.connect(socket: daemon.path)
        let error = await #expect(throws: ConclaveError.self) {
            try await conclave.barrier("step", parties: parties, rank: rank).arriveAndWait()
        }
        #expect(error?.code == .invalid)
        #expect(daemon.requests(.arrive).isEmpty)
    }

    @Test func `views end where the daemon's memory ends, and go on when followed`() async throws {
        let views = (1...3).map { epoch in
            ViewReport(
                epoch: Epoch(epoch), at: Timestamp(microseconds: epoch), members: [NodeID(1)],
                joined: [], departed: [])
        }
        var known = ByteWriter()
        known.list(Array(views.prefix(2))) { $0.encode(into: &$1) }
        var later = ByteWriter()
        views[2].encode(into: &later)
        let (report, event) = (known.bytes, later.bytes)
        let daemon = ScriptedDaemon { request in
            guard request.type == .views else { return [] }
            return request.body == [1] ? [.report(report), .event(event)] : [.report(report)]
        }
        defer { daemon.stop() }
        let conclave = try await Conclave.connect(socket: daemon.path)
        var epochs: [UInt64] = []
        for try await view in conclave.views() { epochs.append(view.epoch.number) }
        #expect(epochs == [1, 2])
        epochs = []
        for try await view in conclave.views(follow: true) {
            epochs.append(view.epoch.number)
            if epochs.count == 3 { break }
        }
        #expect(epochs == [1, 2, 3])
    }
}
