import Conclave
import ConclaveBase
import ConclaveWire
import Synchronization
import TestSupport
import Testing

@Suite struct `A lock held by a program` {
    /// Grants only what is not called "held"; a cancel comes in time.
    private static func refuseHeld(_ request: ScriptedDaemon.Request) -> [ScriptedDaemon.Action] {
        switch request.operation {
        case .acquire(let name, _, let isTry, _, _, _) where name.text == "held":
            return isTry ? [.reply(.busy(holder: SessionID(9)))] : []
        case .cancel(let number, _):
            return [
                .late(number, .acquire, .cancelled), .reply(.cancelOutcome(wasCancelled: true)),
            ]
        default: return ScriptedDaemon.grant(request)
        }
    }

    @Test func `is there while the body runs and is released after it`() async throws {
        let daemon = ScriptedDaemon()
        defer { daemon.stop() }
        let conclave = try await Conclave.connect(socket: daemon.path)
        let token = try await conclave.withLock("db/migrate") { lock in
            #expect(lock.name == "db/migrate")
            #expect(lock.validity.isValid)
            #expect(daemon.requests(.release).isEmpty)
            return lock.token
        }
        let name = try ObjectName("db/migrate")
        #expect(daemon.requests(.release).map(\.operation) == [.release(name: name, token: token)])
    }

    @Test func `what it is lost with goes to the daemon with the request`() async throws {
        let daemon = ScriptedDaemon()
        defer { daemon.stop() }
        let conclave = try await Conclave.connect(socket: daemon.path)
        try await conclave.withLock("a", onLoss: .kill) { _ in }
        try await conclave.lock("b", onLoss: .freeze).release()
        try await conclave.tryLock("c", onLoss: .signal)?.release()
        try await conclave.withLock("d") { _ in }
        #expect(daemon.requests(.acquire).map(\.onLoss) == [.kill, .freeze, .signal, .notify])
        #expect(daemon.requests(.release).map(\.onLoss) == [.notify, .notify, .notify, .notify])
        try await conclave.withLocks(["a", "b"], onLoss: .freeze) { _ in }
        #expect(daemon.requests(.acquireAll).map(\.onLoss) == [.freeze])
        try await conclave.withLeadership(of: "s", value: "v", onLoss: .kill) { _ in }
        #expect(daemon.requests(.campaign).map(\.onLoss) == [.kill])
    }

    @Test func `is released when the body throws, and the error is the body's`() async throws {
        struct Broken: Error {}
        let daemon = ScriptedDaemon()
        defer { daemon.stop() }
        let conclave = try await Conclave.connect(socket: daemon.path)
        await #expect(throws: Broken.self) {
            try await conclave.withLock("a") { _ in throw Broken() }
        }
        #expect(daemon.requests(.release).count == 1)
    }

    @Test func `is given back in the background when its guard goes out of scope`() async throws {
        let daemon = ScriptedDaemon()
        defer { daemon.stop() }
        let conclave = try await Conclave.connect(socket: daemon.path)
        func hold() async throws {
            let lock = try await conclave.lock("a", mode: .shared)
            #expect(lock.validity.isValid)
        }
        try await hold()
        await daemon.receives(.release)
    }

    @Test func `is not valid any more once it was released`() async throws {
        let daemon = ScriptedDaemon()
        defer { daemon.stop() }
        let conclave = try await Conclave.connect(socket: daemon.path)
        let lock = try await conclave.lock("a")
        let validity = lock.validity
        try await lock.release()
        #expect(!validity.isValid)
        #expect(validity.deadline < .now)
    }

    @Test func `is not taken by a try when somebody else holds it`() async throws {
        let daemon = ScriptedDaemon(Self.refuseHeld)
        defer { daemon.stop() }
        let conclave = try await Conclave.connect(socket: daemon.path)
        let isTaken = try await conclave.tryLock("held") != nil
        #expect(!isTaken)
        let error = await #expect(throws: ConclaveError.self) {
            try await conclave.withLock("held", wait: .zero) { _ in }
        }
        #expect(error?.code == .busy)
    }

    @Test func `that is not obtained in time is cancelled in order`() async throws {
        let daemon = ScriptedDaemon(Self.refuseHeld)
        defer { daemon.stop() }
        let conclave = try await Conclave.connect(socket: daemon.path)
        let error = await #expect(throws: ConclaveError.self) {
            try await conclave.withLock("held", wait: .milliseconds(50)) { _ in }
        }
        #expect(error?.code == .timedOut)
        let number = daemon.requests(.acquire)[0].number
        #expect(
            daemon.requests(.cancel).map(\.operation)
                == [.cancel(number: number, reason: .timedOut)])
    }

    @Test func `whose waiting task is cancelled is cancelled in order`() async throws {
        let daemon = ScriptedDaemon(Self.refuseHeld)
        defer { daemon.stop() }
        let conclave = try await Conclave.connect(socket: daemon.path)
        let task = Task { try await conclave.withLock("held") { _ in } }
        await daemon.receives(.acquire)
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(daemon.requests(.cancel).count == 1)
    }

    @Test func `that was granted before the cancel came is given back`() async throws {
        let daemon = ScriptedDaemon { request in
            guard case .cancel(let number, _) = request.operation else {
                return request.type == .acquire ? [] : ScriptedDaemon.grant(request)
            }
            let grant = LockGrant(
                name: try! ObjectName("a"), mode: .exclusive, token: FencingToken(5),
                previousEnd: .none)
            return [
                .late(number, .acquire, .granted(grant)),
                .reply(.cancelOutcome(wasCancelled: false)),
            ]
        }
        defer { daemon.stop() }
        let conclave = try await Conclave.connect(socket: daemon.path)
        let task = Task { try await conclave.lock("a").release() }
        await daemon.receives(.acquire)
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(
            daemon.requests(.release).map(\.operation)
                == [.release(name: try ObjectName("a"), token: FencingToken(5))])
    }

    @Test func `a task that is cancelled before it asks asks for nothing`() async throws {
        let daemon = ScriptedDaemon()
        defer { daemon.stop() }
        let conclave = try await Conclave.connect(socket: daemon.path)
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            try await conclave.withLock("a") { _ in }
        }
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(daemon.requests(.acquire).isEmpty)
    }

    @Test func `is lost at its deadline by the local clock while the daemon hangs`() async throws {
        let daemon = ScriptedDaemon()
        defer { daemon.stop() }
        let start = ContinuousClock.now
        daemon.extend(by: .seconds(3))
        let conclave = try await Conclave.connect(socket: daemon.path)
        let error = await #expect(throws: ConclaveError.self) {
            try await conclave.withLock("a") { lock in
                daemon.hang()
                let validity = lock.validity
                await untilCancelled()
                #expect(!validity.isValid)
            }
        }
        #expect(error?.code == .lost)
        #expect(ContinuousClock.now - start >= .seconds(3))
    }

    @Test func `is lost at once when the daemon takes it back`() async throws {
        let daemon = ScriptedDaemon()
        defer { daemon.stop() }
        let conclave = try await Conclave.connect(socket: daemon.path)
        let error = await #expect(throws: ConclaveError.self) {
            try await conclave.withLock("a") { _ in
                daemon.show(.distantPast)
                daemon.send(.sessionEnded, .event, number: 0, [SessionEnd.expired.rawValue])
                await untilCancelled()
            }
        }
        #expect(error?.code == .lost)
    }

    @Test func `a body that its caller cancels ends, and the lock is released`() async throws {
        let daemon = ScriptedDaemon()
        defer { daemon.stop() }
        let conclave = try await Conclave.connect(socket: daemon.path)
        let task = Task {
            try await conclave.withLock("a") { _ in
                await untilCancelled()
                return "ended"
            }
        }
        await daemon.receives(.acquire)
        task.cancel()
        // Either it was cancelled while it waited, or its body was: what it held is given back.
        switch await task.result {
        case .success(let text): #expect(text == "ended")
        case .failure(let error): #expect(error is CancellationError)
        }
        #expect(daemon.requests(.release).count == 1)
    }

    @Test func `requests of many tasks share one connection`() async throws {
        let daemon = ScriptedDaemon()
        defer { daemon.stop() }
        let conclave = try await Conclave.connect(socket: daemon.path)
        try await withThrowingTaskGroup { group in
            for number in 0..<100 {
                group.addTask {
                    for _ in 0..<10 { try await conclave.withLock("lock/\(number)") { _ in } }
                }
            }
            try await group.waitForAll()
        }
        #expect(daemon.requests(.release).count == 1_000)
        #expect(daemon.connectionCount == 1)
    }

    @Test(arguments: ["", "a\nb", String(repeating: "n", count: 256)])
    func `a name that no lock has is refused without asking`(name: String) async throws {
        let daemon = ScriptedDaemon()
        defer { daemon.stop() }
        let conclave = try await Conclave.connect(socket: daemon.path)
        let error = await #expect(throws: ConclaveError.self) {
            try await conclave.withLock(name) { _ in }
        }
        #expect(error?.code == .invalid)
        #expect(daemon.requests(.acquire).isEmpty)
    }

    @Test func `a body is a task of its own, and what it takes is within it`() async throws {
        let daemon = ScriptedDaemon()
        defer { daemon.stop() }
        let conclave = try await Conclave.connect(socket: daemon.path)
        let plain = try await conclave.lock("plain")
        let (outer, inner) = try await conclave.withLock("outer") { outer in
            let guarded = try await conclave.lock("guarded")
            try await guarded.release()
            let path = outer.taskPath
            let inner = try await Task.detached {
                try await path.perform {
                    try await conclave.withLock("inner") { $0.taskPath }
                }
            }.value
            return (path, inner)
        }
        try await plain.release()
        let tags = daemon.requests(.acquire).compactMap { request -> TaskTag? in
            guard case .acquire(_, _, _, _, _, let task) = request.operation else { return nil }
            return task
        }
        try #require(tags.count == 4)
        #expect(tags[0] == TaskTag(), "a guard outside of every body is the session's")
        #expect(tags[1].number > 0 && tags[1].within.isEmpty)
        #expect(tags[2] == tags[1], "a guard is its body's")
        #expect(tags[3].number > tags[1].number)
        #expect(tags[3].within.map(\.number) == [tags[1].number])
        #expect(inner.description.hasPrefix(outer.description + ","))
        #expect(TaskPath(inner.description) == inner)
    }

    @Test func `is shared after a downgrade, and has a new token after an upgrade`() async throws {
        let daemon = ScriptedDaemon()
        defer { daemon.stop() }
        let conclave = try await Conclave.connect(socket: daemon.path)
        let lock = try await conclave.lock("a")
        let first = lock.token
        try await lock.downgrade()
        #expect(lock.mode == .shared && lock.token == first)
        await #expect(throws: ConclaveError.self) { try await lock.downgrade() }
        try await lock.upgrade()
        #expect(lock.mode == .exclusive && lock.token > first)
        await #expect(throws: ConclaveError.self) { try await lock.upgrade() }
        let second = lock.token
        try await lock.release()
        let name = try ObjectName("a")
        #expect(daemon.requests(.release).map(\.operation) == [.release(name: name, token: second)])
        #expect(daemon.requests(.downgrade).count == 1 && daemon.requests(.upgrade).count == 1)
    }

    @Test func `is nested by an explicit guard, and given up with the last one`() async throws {
        let daemon = ScriptedDaemon()
        defer { daemon.stop() }
        let conclave = try await Conclave.connect(socket: daemon.path)
        let outer = try await conclave.lock("a")
        let inner = outer.nested()
        let (first, second) = (outer.validity, inner.validity)
        #expect(inner.token == outer.token && inner.name == "a")
        try await outer.release()
        #expect(!first.isValid && second.isValid)
        #expect(daemon.requests(.release).isEmpty)
        try await inner.release()
        #expect(!second.isValid)
        #expect(daemon.requests(.release).count == 1)
        #expect(daemon.requests(.acquire).count == 1)
    }

    @Test func `tells how it stands until it is given up`() async throws {
        let daemon = ScriptedDaemon()
        defer { daemon.stop() }
        let conclave = try await Conclave.connect(socket: daemon.path)
        let lock = try await conclave.lock("a")
        let validity = lock.validity
        var states = validity.states.makeAsyncIterator()
        #expect(await states.next() == .healthy)
        try await lock.release()
        #expect(await states.next() == nil)
        var later = validity.states.makeAsyncIterator()
        while let state = await later.next() { #expect(state == .healthy) }
    }

    @Test func `tells when it is lost`() async throws {
        let daemon = ScriptedDaemon()
        let conclave = try await Conclave.connect(socket: daemon.path)
        let lock = try await conclave.lock("a")
        daemon.extend(by: .milliseconds(400))
        let states = lock.validity.states
        daemon.stop()
        var last: SessionState?
        var isDoubted = false
        for await state in states {
            if case .jeopardy = state { isDoubted = true }
            last = state
        }
        guard case .lost? = last else {
            Issue.record("the stream ended with \(String(describing: last))")
            return
        }
        #expect(isDoubted)
    }

    @Test func `outlives its body as long as a nested guard of it does`() async throws {
        let daemon = ScriptedDaemon()
        defer { daemon.stop() }
        let conclave = try await Conclave.connect(socket: daemon.path)
        let kept = Mutex<Lock?>(nil)
        try await conclave.withLock("a") { lock in
            kept.withLock { $0 = lock.nested() }
        }
        #expect(daemon.requests(.release).isEmpty)
        kept.withLock { $0 = nil }
        await daemon.receives(.release)
    }

    @Test(arguments: ["", ",", "1", "1.2.3", "a.1", "1.-1", "1.2,", "18446744073709551616.0"])
    func `what is no path of tasks is refused`(text: String) {
        #expect(TaskPath(text) == nil)
        #expect(TaskPath(Array(repeating: "1.2", count: 17).joined(separator: ",")) == nil)
    }
}

/// Suspends until the task is cancelled.
func untilCancelled() async {
    let (stream, _) = AsyncStream<Never>.makeStream()
    for await _ in stream {}
}
