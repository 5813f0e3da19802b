import Conclave
import ConclaveBase
import ConclaveWire
import TestSupport
import Testing

@Suite struct `Latches of a program` {
    private static let name = try! ObjectName("started")

    private func connected(
        _ script: @escaping ScriptedDaemon.Script = ScriptedDaemon.grant
    ) async throws -> (ScriptedDaemon, Conclave) {
        let daemon = ScriptedDaemon(script)
        return (daemon, try await Conclave.connect(socket: daemon.path))
    }

    @Test func `counting down and waiting name the count`() async throws {
        let (daemon, conclave) = try await connected { request in
            let remaining: UInt32 =
                if case .latch(let latch)? = request.operation, case .countDown = latch.action {
                    2
                } else {
                    0
                }
            let state = LatchState(name: Self.name, count: 3, remaining: remaining)
            return [.reply(.counted(state))]
        }
        defer { daemon.stop() }
        let latch = conclave.latch("started", count: 3)
        #expect(try await latch.countDown() == 2)
        try await latch.wait(timeout: .seconds(60))
        let actions: [LatchOperation.Action] = [.countDown(of: 3), .wait(of: 3)]
        #expect(
            daemon.requests(.latch).map(\.operation)
                == actions.map { .latch(LatchOperation(Self.name, $0)) })
    }

    @Test(arguments: [0, -1, Int(UInt32.max) + 1])
    func `a count that no daemon would take is refused at once`(count: Int) async throws {
        let (daemon, conclave) = try await connected()
        defer { daemon.stop() }
        let error = await #expect(throws: ConclaveError.self) {
            try await conclave.latch("started", count: count).countDown()
        }
        #expect(error?.code == .invalid)
        #expect(daemon.requests(.latch).isEmpty)
    }

    @Test func `a wait that is cancelled is given up in order`() async throws {
        let (daemon, conclave) = try await connected { request in
            guard case .cancel(let number, _)? = request.operation else { return [] }
            return [
                .late(number, .latch, .cancelled), .reply(.cancelOutcome(wasCancelled: true)),
            ]
        }
        defer { daemon.stop() }
        let task = Task { try await conclave.latch("started", count: 3).wait() }
        await daemon.receives(.latch)
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(daemon.requests(.cancel).count == 1)
    }

    @Test func `what remains is read, and another count is told`() async throws {
        let (daemon, conclave) = try await connected { request in
            var reader = ByteReader(request.body)
            guard
                case .latch(let name)? = (try? ObjectQuery(.readLatches, from: &reader))?.subject
            else { return [] }
            let report = LatchReport(
                state: LatchState(name: name, count: 3, remaining: 2), uid: 7, since: .zero)
            let known = name == Self.name ? [report] : []
            var writer = ByteWriter()
            LatchPage(version: Version(9), latches: known).encode(into: &writer)
            return [.report(writer.bytes)]
        }
        defer { daemon.stop() }
        #expect(try await conclave.latch("started", count: 3).remaining() == 2)
        #expect(try await conclave.latch("other", count: 4).remaining() == 4)
        let error = await #expect(throws: ConclaveError.self) {
            try await conclave.latch("started", count: 4).remaining()
        }
        #expect(error?.code == .invalid)
        #expect(try await conclave.latch(named: "other") == nil)
    }

    @Test func `removing one that is not there says so`() async throws {
        let (daemon, conclave) = try await connected { _ in
            [.reply(.refused(Refusal(.refused, "there is no latch started")))]
        }
        defer { daemon.stop() }
        let error = await #expect(throws: ConclaveError.self) {
            try await conclave.removeLatch("started")
        }
        #expect(error?.code == .refused)
    }
}
