import Conclave
import ConclaveBase
import ConclaveWire
import TestSupport
import Testing

@Suite struct `A session` {
    @Test func `is not there without a daemon`() async throws {
        let error = await #expect(throws: ConclaveError.self) {
            _ = try await Conclave.connect(socket: "/tmp/conclave-test-nobody.sock")
        }
        #expect(error?.code == .disconnected)
        #expect(error?.message.contains("/tmp/conclave-test-nobody.sock") == true)
    }

    @Test func `is resumed after the connection broke, and what waited goes on waiting`()
        async throws
    {
        let daemon = ScriptedDaemon { request in
            guard case .acquire = request.operation else { return ScriptedDaemon.grant(request) }
            return []
        }
        defer { daemon.stop() }
        let conclave = try await Conclave.connect(socket: daemon.path)
        let task = Task { try await conclave.lock("later").release() }
        await daemon.receives(.acquire)
        daemon.dropConnection()
        await daemon.receives(.resume)
        await daemon.receives(.acquire, count: 2)
        let numbers = daemon.requests(.acquire).map(\.number)
        #expect(numbers[0] == numbers[1])
        let grant = LockGrant(
            name: try ObjectName("later"), mode: .exclusive, token: FencingToken(9),
            previousEnd: .none)
        daemon.send(.acquire, .reply, number: numbers[0], Reply.granted(grant).encoded)
        try await task.value
    }

    @Test func `goes on with the page of the daemon that came back`() async throws {
        let daemon = ScriptedDaemon()
        defer { daemon.stop() }
        let conclave = try await Conclave.connect(socket: daemon.path)
        let lock = try await conclave.lock("a")
        daemon.extend(by: .seconds(20))
        daemon.makePage()
        daemon.dropConnection()
        await daemon.receives(.resume)
        _ = try await conclave.lock("b")
        #expect(lock.validity.isValid)
        daemon.show(.distantPast)
        #expect(!lock.validity.isValid)
    }

    @Test func `is valid until the old deadline while a new page does not name it`() async throws {
        let daemon = ScriptedDaemon()
        defer { daemon.stop() }
        let conclave = try await Conclave.connect(socket: daemon.path)
        let lock = try await conclave.lock("a")
        daemon.makePage(knowsSession: false)
        daemon.dropConnection()
        await daemon.receives(.resume)
        _ = try await conclave.lock("b")
        #expect(lock.validity.isValid)
    }

    @Test func `tells jeopardy when the daemon goes, and the loss when it stays away`() async throws
    {
        let daemon = ScriptedDaemon()
        let conclave = try await Conclave.connect(socket: daemon.path)
        _ = try await conclave.lock("a")
        daemon.extend(by: .milliseconds(400))
        var states = conclave.states.makeAsyncIterator()
        daemon.stop()
        var seen: [SessionState] = []
        while let state = await states.next() { seen.append(state) }
        #expect(
            seen.contains { state in
                if case .jeopardy = state { true } else { false }
            })
        guard case .lost? = seen.last else {
            Issue.record("the stream ended with \(String(describing: seen.last))")
            return
        }
        let error = await #expect(throws: ConclaveError.self) {
            try await conclave.lock("b").release()
        }
        #expect(error?.code == .sessionEnded)
    }

    /// Whatever the daemon says of resuming it says nothing of what was sent before.
    @Test func `that cannot be resumed leaves it open whether a latch was counted down`()
        async throws
    {
        let daemon = ScriptedDaemon { _ in [] }
        defer { daemon.stop() }
        let conclave = try await Conclave.connect(socket: daemon.path)
        let count = Task { try await conclave.latch("started", count: 3).countDown() }
        let lock = Task { _ = try await conclave.lock("a") }
        await daemon.receives(.latch)
        await daemon.receives(.acquire)
        daemon.refuseResumes(with: Refusal(.quotaExceeded, "taken over too often"))
        daemon.dropConnection()
        let unknown = await #expect(throws: ConclaveError.self) { try await count.value }
        #expect(unknown?.code == .outcomeUnknown)
        let ended = await #expect(throws: ConclaveError.self) { try await lock.value }
        #expect(ended?.code == .sessionEnded)
        #expect(ended?.message == "taken over too often")
    }

    @Test func `that is closed says goodbye and takes no more`() async throws {
        let daemon = ScriptedDaemon()
        defer { daemon.stop() }
        let conclave = try await Conclave.connect(socket: daemon.path)
        _ = try await conclave.lock("a")
        await conclave.close()
        #expect(daemon.requests(.goodbye).count == 1)
        let error = await #expect(throws: ConclaveError.self) {
            try await conclave.lock("b").release()
        }
        #expect(error?.code == .sessionEnded)
    }

    @Test func `is closed when nobody holds it any more`() async throws {
        let daemon = ScriptedDaemon()
        defer { daemon.stop() }
        func use() async throws {
            let conclave = try await Conclave.connect(socket: daemon.path)
            try await conclave.withLock("a") { _ in }
        }
        try await use()
        await daemon.receives(.goodbye)
    }

    @Test func `a daemon that does not answer the goodbye is not waited for`() async throws {
        let daemon = ScriptedDaemon()
        defer { daemon.stop() }
        let conclave = try await Conclave.connect(socket: daemon.path)
        _ = try await conclave.lock("a")
        daemon.hang()
        let start = ContinuousClock.now
        await conclave.close()
        #expect(ContinuousClock.now - start < .seconds(3))
    }

    @Test func `a frame that makes no sense ends the connection, not the session`() async throws {
        let daemon = ScriptedDaemon()
        defer { daemon.stop() }
        let conclave = try await Conclave.connect(socket: daemon.path)
        let lock = try await conclave.lock("a")
        daemon.send(.acquire, .reply, number: 99_999, [UInt8](repeating: 0xFF, count: 40))
        daemon.send(.serving, .event, number: 0, [9, 9, 9])
        await daemon.receives(.resume)
        #expect(lock.validity.isValid)
        try await lock.release()
    }
}
