import Conclave
import ConclaveBase
import ConclaveWire
import Synchronization
import TestSupport
import Testing

@Suite struct `Double barriers of a program` {
    private static func payload(_ token: UInt64, _ rest: [UInt8] = []) -> [UInt8] {
        var writer = ByteWriter()
        writer.integer(token)
        return writer.bytes + rest
    }

    private static func party(_ rank: UInt32, _ payload: [UInt8]) -> BarrierParty {
        BarrierParty(rank: rank, host: NodeID(1), pid: 7, arrivedAt: .zero, payload: payload)
    }

    /// Trips whatever this party arrives at, with member 900 as the other one.
    private static func trips(_ request: ScriptedDaemon.Request) -> [ScriptedDaemon.Action] {
        guard case .arrive(let arrival)? = request.operation else {
            return ScriptedDaemon.grant(request)
        }
        let parties =
            arrival.group == nil
            ? [party(0, payload(900, [1])), party(1, arrival.payload)] : [party(0, [])]
        return [
            .reply(
                .tripped(
                    BarrierResult(
                        name: arrival.name, generation: 5, rank: arrival.group == nil ? 1 : 0,
                        parties: parties, view: arrival.group == nil ? nil : 8)))
        ]
    }

    @Test func `who enters is a member, and leaves with those who entered with it`() async throws {
        let daemon = ScriptedDaemon(Self.trips)
        defer { daemon.stop() }
        let conclave = try await Conclave.connect(socket: daemon.path)
        let inside = try await conclave.doubleBarrier("phase", parties: 2).enter(payload: [2])
        #expect(inside.generation.parties.map(\.payload) == [[1], [2]])
        let join = try #require(daemon.requests(.joinGroup).first)
        #expect(join.operation == .joinGroup(GroupJoin(name: try ObjectName("phase/inside"))))
        #expect(inside.token == FencingToken(join.number))
        let left = try await inside.leave(timeout: .seconds(9))
        #expect(left.parties.count == 1 && left.viewNumber == 8)
        let named = [inside.token, FencingToken(900)].sorted()
        let arrival = BarrierArrival(
            name: try ObjectName("phase/leave/5"),
            group: BarrierGroup(try ObjectName("phase/inside"), among: named),
            member: inside.token)
        #expect(daemon.requests(.arrive).last?.operation == .arrive(arrival))
        #expect(daemon.requests(.leaveGroup).count == 1)
    }

    @Test func `who cannot enter is no member any more`() async throws {
        let daemon = ScriptedDaemon { request in
            guard case .arrive(let arrival)? = request.operation else {
                return ScriptedDaemon.grant(request)
            }
            return [
                .reply(
                    .broken(
                        BarrierBreak(
                            name: arrival.name, generation: 5, reason: .partyEnded,
                            message: "pid 7 died", missing: [], arrivedCount: 1, parties: 2)))
            ]
        }
        defer { daemon.stop() }
        let conclave = try await Conclave.connect(socket: daemon.path)
        let error = await #expect(throws: ConclaveError.self) {
            try await conclave.doubleBarrier("phase", parties: 2).enter()
        }
        #expect(error?.code == .barrierBroken)
        await daemon.receives(.leaveGroup)
    }

    @Test func `leaving that fails leaves all the same`() async throws {
        let daemon = ScriptedDaemon { request in
            guard case .arrive(let arrival)? = request.operation, arrival.group != nil else {
                return Self.trips(request)
            }
            return [.reply(.refused(Refusal(.notHeld, "is gone")))]
        }
        defer { daemon.stop() }
        let conclave = try await Conclave.connect(socket: daemon.path)
        let inside = try await conclave.doubleBarrier("phase", parties: 2).enter()
        let error = await #expect(throws: ConclaveError.self) { try await inside.leave() }
        #expect(error?.code == .notHeld)
        #expect(daemon.requests(.leaveGroup).count == 1)
    }

    @Test(arguments: [(0, 5, 0), (513, 5, 0), (2, 221, 0), (2, 5, 4_089)])
    func `what no daemon would take is refused at once`(
        parties: Int, nameByteCount: Int, payloadByteCount: Int
    ) async throws {
        let daemon = ScriptedDaemon(Self.trips)
        defer { daemon.stop() }
        let conclave = try await Conclave.connect(socket: daemon.path)
        let name = String(repeating: "n", count: nameByteCount)
        let error = await #expect(throws: ConclaveError.self) {
            try await conclave.doubleBarrier(name, parties: parties)
                .enter(payload: Array(repeating: 1, count: payloadByteCount))
        }
        #expect(error?.code == .invalid)
        #expect(daemon.requests(.joinGroup).isEmpty)
    }

    @Test func `an arrival may name the generation that it means`() async throws {
        let daemon = ScriptedDaemon(Self.trips)
        defer { daemon.stop() }
        let conclave = try await Conclave.connect(socket: daemon.path)
        let barrier = conclave.barrier("step", parties: 2)
        let number = try await barrier.arriveAndWait().number
        _ = try await barrier.arriveAndWait(generation: number + 1)
        let name = try ObjectName("step")
        #expect(
            daemon.requests(.arrive).map(\.operation)
                == [nil, number + 1].map {
                    .arrive(BarrierArrival(name: name, parties: 2, generation: $0))
                })
    }

    @Test func `a member waits for its group by its token`() async throws {
        let daemon = ScriptedDaemon(Self.trips)
        defer { daemon.stop() }
        let conclave = try await Conclave.connect(socket: daemon.path)
        let member = try await conclave.join("workers")
        let generation = try await member.barrier("step", payload: [4]).arriveAndWait()
        #expect(generation.viewNumber == 8)
        let arrival = BarrierArrival(
            name: try ObjectName("step"), group: BarrierGroup(try ObjectName("workers")),
            member: member.token, payload: [4])
        #expect(daemon.requests(.arrive).map(\.operation) == [.arrive(arrival)])
        try await member.leave()
    }
}
