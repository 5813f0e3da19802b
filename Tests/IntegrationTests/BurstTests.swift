import Conclave
import Synchronization
import TestSupport
import Testing

/// More requests of one session at once than the group keeps of it, through the library as programs
/// use it.
@Suite(.serialized) struct `Bursts` {
    private static let count = 5_000

    /// Opens when everybody is there.
    private final class Gate: Sendable {
        private let arrived = Atomic<Int>(0)

        func pass() async throws {
            arrived.add(1, ordering: .relaxed)
            while arrived.load(ordering: .relaxed) < Bursts.count {
                try await Task.sleep(for: .milliseconds(20))
            }
        }
    }

    @Test(.timeLimit(.minutes(2)))
    func `of thousands of locks all are taken at once, and then all released at once`()
        async throws
    {
        let group = try Group.serving()
        let conclave = try await Conclave.connect(socket: group.socket(1))
        let gate = Gate()
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            for index in 0..<Self.count {
                tasks.addTask {
                    let lock = try await conclave.lock("burst/\(index)")
                    try await gate.pass()
                    try await lock.release()
                }
            }
            try await tasks.waitForAll()
        }
        let locks = try group.run("locks", ["burst/", "--json"])
        #expect(locks.status == 0)
        #expect(!locks.output.contains("burst/"), "some are left")
        await conclave.close()
        #expect(try group.stop() == [0, 0, 0])
    }

    @Test(.timeLimit(.minutes(2)))
    func `of thousands that give up at once each is told so, and nothing waits any more`()
        async throws
    {
        let group = try Group.serving()
        let holder = try await Conclave.connect(socket: group.socket(2))
        let conclave = try await Conclave.connect(socket: group.socket(1))
        let gate = Gate()
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            for index in 0..<Self.count {
                tasks.addTask {
                    let lock = try await holder.lock("burst/\(index)")
                    try await gate.pass()
                    let error = await #expect(throws: ConclaveError.self) {
                        try await conclave.withLock("burst/\(index)", wait: .seconds(2)) { _ in }
                    }
                    #expect(error?.code == .timedOut)
                    try await lock.release()
                }
            }
            try await tasks.waitForAll()
        }
        let locks = try group.run("locks", ["burst/", "--json"])
        #expect(!locks.output.contains("burst/"), "somebody waits for ever")
        await conclave.close()
        await holder.close()
        #expect(try group.stop() == [0, 0, 0])
    }
}
