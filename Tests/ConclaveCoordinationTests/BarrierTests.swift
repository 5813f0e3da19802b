import ConclaveBase
import ConclaveCoordination
import ConclaveWire
import Testing

@Suite struct `Barriers` {
    private var stage = Stage()
    private let name = ObjectName(known: "step")
    private let sessions: [SessionID]

    init() {
        sessions = stage.open(all: 1...5, hostCount: 3)
    }

    private mutating func arrive(
        _ party: Int, _ number: UInt64, parties: UInt32 = 3, rank: UInt32? = nil,
        generation: UInt64? = nil, payload: [UInt8] = []
    ) {
        stage.request(
            sessions[party], number,
            .arrive(
                BarrierArrival(
                    name: name, parties: parties, rank: rank, generation: generation,
                    payload: payload)))
    }

    private func result(_ party: Int, _ number: UInt64) -> BarrierResult? {
        guard case .tripped(let result) = stage.reply(to: number, of: sessions[party]) else {
            return nil
        }
        return result
    }

    private func report(_ party: Int, _ number: UInt64) -> BarrierBreak? {
        guard case .broken(let report) = stage.reply(to: number, of: sessions[party]) else {
            return nil
        }
        return report
    }

    @Test mutating func `who is missing is told, and what is known of them`() throws {
        arrive(0, 1)
        var report = try #require(stage.coordinator.why(name).objects.first)
        #expect(report.missing == [BarrierAbsence(rank: 1), BarrierAbsence(rank: 2)])
        arrive(1, 1)
        arrive(2, 1)
        let came = stage.time
        stage.time.microseconds += 7
        arrive(1, 2)
        report = try #require(stage.coordinator.why(name).objects.first)
        #expect(report.waiters.map(\.since) == [stage.time])
        #expect(
            report.missing == [
                BarrierAbsence(rank: 1, host: NodeID(1), pid: 1, lastSeen: came),
                BarrierAbsence(rank: 2, host: NodeID(3), pid: 3, lastSeen: came),
            ])
        stage.end(sessions[2], .died)
        report = try #require(stage.coordinator.why(name).objects.first)
        #expect(report.missing.map(\.hasEnded) == [false, true])
    }

    @Test mutating func `the last arrival releases all, with everyone's rank and payload`() throws {
        for party in 0..<3 {
            stage.time.microseconds += 10
            arrive(party, 1, payload: [UInt8(party)])
            if party < 2 {
                #expect(stage.position(of: 1, of: sessions[party]) == UInt32(2 - party))
            }
        }
        #expect(stage.effects.count == 3)
        for party in 0..<3 {
            let told = try #require(result(party, 1))
            #expect(told.rank == UInt32(party))
            #expect(told.parties.map(\.rank) == [0, 1, 2])
            #expect(told.parties.map(\.payload) == [[0], [1], [2]])
            #expect(told.parties.map(\.pid) == [1, 2, 3])
            #expect(told.parties.map(\.host) == [1, 2, 3].map(NodeID.init))
            #expect(
                told.parties.map(\.arrivedAt.microseconds) == [1_000_010, 1_000_020, 1_000_030])
        }
    }

    @Test mutating func `parties that name no rank get what is left, in order of arrival`() throws {
        arrive(0, 1)
        arrive(1, 1, rank: 0)
        arrive(2, 1)
        #expect(result(1, 1)?.rank == 0)
        #expect(result(0, 1)?.rank == 1)
        #expect(result(2, 1)?.rank == 2)
        #expect(result(0, 1)?.parties.map(\.pid) == [2, 1, 3])
    }

    @Test mutating func `generations are numbered without a gap, and each starts fresh`() throws {
        var last: UInt64?
        for number in UInt64(1)...4 {
            for party in 0..<3 { arrive(party, number, parties: 3) }
            let generation = try #require(result(0, number)).generation
            if let last { #expect(generation == last + 1) }
            last = generation
        }
    }

    @Test mutating func `a barrier of one trips at once`() {
        arrive(0, 1, parties: 1)
        #expect(result(0, 1)?.parties.count == 1)
        stage.apply(.confirm(session: sessions[0], upTo: 1))
        #expect(stage.coordinator.objectCount == 0)
    }

    @Test mutating func `a forgotten barrier never uses a generation again`() throws {
        var seen: Set<UInt64> = []
        for number in UInt64(1)...20 {
            arrive(0, number, parties: 1)
            #expect(seen.insert(try #require(result(0, number)).generation).inserted)
            stage.apply(.confirm(session: sessions[0], upTo: number))
            #expect(stage.coordinator.objectCount == 0)
        }
        #expect(seen.max() == seen.sorted().last)
    }

    @Test mutating func `C7: a party's end breaks the generation, and names it`() throws {
        arrive(0, 1)
        arrive(1, 1)
        stage.end(sessions[1], .died)
        let told = try #require(report(0, 1))
        #expect(told.reason == .partyEnded)
        #expect(told.message == "pid 2 on host 2 died; 2 of 3 had arrived")
        #expect(told.arrivedCount == 2)
        #expect(
            told.missing == [
                BarrierAbsence(
                    rank: 1, host: NodeID(2), pid: 2, lastSeen: stage.time, hasEnded: true),
                BarrierAbsence(rank: 2),
            ])
        #expect(stage.effects.count == 2)
    }

    @Test(arguments: [
        (CancelReason.timedOut, BarrierBreakReason.timedOut), (.gaveUp, .cancelled),
    ])
    mutating func `C7: who gives up breaks it for all and is told the same`(
        reason: CancelReason, breakReason: BarrierBreakReason
    ) throws {
        arrive(0, 1)
        arrive(2, 1)
        stage.request(sessions[0], 2, .cancel(number: 1, reason: reason))
        let broken = try #require(report(0, 1))
        #expect(broken.reason == breakReason)
        #expect(broken.missing == [BarrierAbsence(rank: 2)])
        #expect(report(2, 1) == broken)
        #expect(stage.reply(to: 2, of: sessions[0]) == .cancelOutcome(wasCancelled: true))
        #expect(stage.effects.count == 3)
    }

    @Test mutating func `two different counts break the generation for all`() throws {
        arrive(0, 1)
        arrive(1, 1, parties: 4)
        let broken = try #require(report(1, 1))
        #expect(broken.reason == .disagreement)
        #expect(broken.parties == 3)
        #expect(report(0, 1) == broken)
        arrive(0, 2, parties: 1)
        #expect(result(0, 2)?.generation == broken.generation + 1)
    }

    @Test mutating func `the same rank twice breaks the generation for all`() throws {
        arrive(0, 1, rank: 1)
        arrive(1, 1, rank: 1)
        let broken = try #require(report(1, 1))
        #expect(broken.reason == .disagreement)
        #expect(
            broken.message
                == "rank 1 came twice: pid 1 on host 1 and pid 2 on host 2; 1 of 3 had arrived")
        #expect(report(0, 1) == broken)
        #expect(broken.missing.map(\.rank) == [0, 2])
    }

    @Test mutating func `one session may be several parties`() throws {
        arrive(0, 1, parties: 2)
        arrive(0, 2, parties: 2)
        #expect(result(0, 1)?.rank == 0)
        #expect(result(0, 2)?.rank == 1)
    }

    @Test mutating func `several parties of an ended session are each named`() throws {
        arrive(0, 1, parties: 4)
        arrive(0, 2, parties: 4)
        arrive(1, 1, parties: 4)
        stage.end(sessions[0], .goodbye)
        let broken = try #require(report(1, 1))
        #expect(broken.missing.map(\.rank) == [0, 1, 3])
        #expect(broken.missing.map(\.hasEnded) == [true, true, false])
    }

    @Test mutating func `a past generation's arrival gets what its party got`() throws {
        for party in 0..<3 { arrive(party, 1, rank: UInt32(2 - party)) }
        let generation = try #require(result(0, 1)).generation
        arrive(0, 2, generation: generation)
        #expect(result(0, 2)?.rank == 2)
        #expect(result(0, 2)?.generation == generation)
        // Who took no part is not told, and nobody knows the future.
        arrive(3, 1, generation: generation)
        #expect(stage.refusal(of: 1, of: sessions[3]) == .invalid)
        arrive(3, 2, generation: generation + 2)
        #expect(stage.refusal(of: 2, of: sessions[3]) == .invalid)
        arrive(3, 3, generation: generation + 1)
        #expect(stage.position(of: 3, of: sessions[3]) == 2)
    }

    @Test mutating func `a broken generation's arrival is told of the break, even a late party's`()
        throws
    {
        arrive(0, 1)
        let generation = try #require(stage.coordinator.why(name).objects.first).generation
        stage.request(sessions[0], 2, .cancel(number: 1, reason: .timedOut))
        let broken = try #require(report(0, 1))
        arrive(1, 1, generation: generation)
        #expect(report(1, 1) == broken)
    }

    @Test mutating func `a generation of an unknown barrier is refused`() {
        arrive(0, 1, generation: 5)
        #expect(stage.refusal(of: 1, of: sessions[0]) == .invalid)
        #expect(stage.coordinator.objectCount == 0)
    }

    @Test mutating func `a decision is kept until each party has confirmed or ended`() throws {
        for party in 0..<3 { arrive(party, 1) }
        for party in 0..<3 {
            stage.acquire(sessions[party], 2, name, .shared)
        }
        stage.apply(.confirm(session: sessions[0], upTo: 2))
        stage.end(sessions[1], .died)
        #expect(stage.coordinator.why(name).objects.count == 2)
        arrive(2, 1)
        #expect(result(2, 1)?.rank == 2)
        stage.apply(.confirm(session: sessions[2], upTo: 2))
        #expect(stage.coordinator.why(name).objects.map(\.kind) == [.lock])
    }

    @Test mutating func `the missing are known from the generation before, by rank if they choose`()
        throws
    {
        for party in 0..<3 { arrive(party, 1, rank: UInt32(party)) }
        arrive(1, 2, rank: 1)
        stage.end(sessions[2], .died)
        stage.request(sessions[1], 3, .cancel(number: 2, reason: .timedOut))
        let broken = try #require(report(1, 2))
        #expect(
            broken.missing == [
                BarrierAbsence(rank: 0, host: NodeID(1), pid: 1, lastSeen: stage.time),
                BarrierAbsence(
                    rank: 2, host: NodeID(3), pid: 3, lastSeen: stage.time, hasEnded: true),
            ])
        // What was known of them is passed on from one broken generation to the next.
        arrive(0, 2, rank: 0)
        stage.request(sessions[0], 3, .cancel(number: 2, reason: .timedOut))
        #expect(report(0, 2)?.missing.map(\.pid) == [2, 3])
    }

    @Test mutating func `of parties without ranks, those are missing that came before and not now`()
        throws
    {
        for party in 0..<3 { arrive(party, 1) }
        arrive(2, 2)
        arrive(0, 2)
        stage.request(sessions[2], 3, .cancel(number: 2, reason: .timedOut))
        #expect(
            report(0, 2)?.missing == [
                BarrierAbsence(rank: 2, host: NodeID(2), pid: 2, lastSeen: stage.time)
            ])
    }

    @Test mutating func `of many missing the first 64 are listed, and all counted`() throws {
        arrive(0, 1, parties: 1_000, rank: 3)
        arrive(1, 1, parties: 1_000, rank: 900)
        stage.end(sessions[1], .expired)
        let broken = try #require(report(0, 1))
        #expect(broken.missing.count == 64)
        #expect(broken.missing.last?.rank == 900)
        #expect(broken.missing.last?.hasEnded == true)
        #expect(broken.missing.first?.rank == 0)
        #expect(
            broken.message == "pid 2 on host 2 lost its session; 2 of 1000 had arrived; "
                + "998 are missing, 63 of them listed")
    }

    @Test mutating func `payloads that could not be told together are refused, and break nothing`()
    {
        let payload = [UInt8](repeating: 1, count: 4_096)
        arrive(0, 1, parties: 128, payload: payload)
        #expect(stage.position(of: 1, of: sessions[0]) == 127)
        arrive(1, 1, parties: 129, payload: payload)
        #expect(stage.refusal(of: 1, of: sessions[1]) == .invalid)
        #expect(stage.effects.count == 1)
        arrive(1, 2, parties: 10_000, payload: Array(payload[..<30]))
        #expect(stage.refusal(of: 2, of: sessions[1]) == .invalid)
        #expect(stage.coordinator.why(name).objects.first?.waiters.count == 1)
    }

    @Test(arguments: [(UInt32(10_000), 0), (128, 4_096), (1_000, 524), (6_000, 87)])
    mutating func `the largest result that is taken fits into a frame`(
        parties: UInt32, payloadByteCount: Int
    ) {
        let arrival = BarrierArrival(
            name: name, parties: parties,
            payload: Array(repeating: 1, count: payloadByteCount))
        stage.request(sessions[0], 1, .arrive(arrival))
        #expect(stage.position(of: 1, of: sessions[0]) == parties - 1)
        let party = BarrierParty(
            rank: 0, host: NodeID(1), pid: 1, arrivedAt: stage.time, payload: arrival.payload)
        let result = BarrierResult(
            name: ObjectName(known: String(repeating: "x", count: 255)), generation: 1, rank: 0,
            parties: Array(repeating: party, count: Int(parties)))
        var writer = ByteWriter()
        Reply.tripped(result).encode(into: &writer)
        #expect(writer.bytes.count + 12 <= Int(FrameHeader.maximumLength))
    }

    @Test mutating func `payloads count as values, until they are forgotten`() {
        var quotas = Quotas()
        quotas.valueByteCount = 6
        stage = Stage(quotas: quotas)
        let sessions = stage.open(all: 1...2)
        func arrival(_ byteCount: Int) -> Operation {
            .arrive(
                BarrierArrival(
                    name: name, parties: 2, payload: Array(repeating: 1, count: byteCount)))
        }
        stage.request(sessions[0], 1, arrival(4))
        stage.request(sessions[1], 1, arrival(3))
        #expect(stage.refusal(of: 1, of: sessions[1]) == .quotaExceeded)
        stage.request(sessions[0], 2, .cancel(number: 1, reason: .gaveUp))
        stage.request(sessions[0], 3, arrival(3))
        stage.request(sessions[1], 2, arrival(3))
        stage.request(sessions[1], 3, arrival(1))
        #expect(stage.refusal(of: 3, of: sessions[1]) == .quotaExceeded)
        stage.end(sessions[0], .died)
        stage.end(sessions[1], .died)
        #expect(stage.coordinator.objectCount == 0)
        let last = stage.open(9)
        stage.request(last, 1, arrival(6))
        #expect(stage.position(of: 1, of: last) == 1)
    }
}
