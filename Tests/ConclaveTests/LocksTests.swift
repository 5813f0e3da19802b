import Conclave
import ConclaveBase
import ConclaveWire
import TestSupport
import Testing

@Suite struct `Several locks held as one` {
    @Test func `are asked for by name, and released together`() async throws {
        let daemon = ScriptedDaemon()
        defer { daemon.stop() }
        let conclave = try await Conclave.connect(socket: daemon.path)
        let token = try await conclave.withLocks(["b", "a"]) { locks in
            #expect(locks.names == ["a", "b"])
            #expect(locks.validity.isValid)
            #expect(locks.previousEnds == ["a": PreviousEnd.none, "b": .none])
            return locks.token
        }
        let names = [try ObjectName("a"), try ObjectName("b")]
        guard case .acquireAll(let set)? = daemon.requests(.acquireAll).first?.operation else {
            Issue.record("not asked for as one")
            return
        }
        #expect(set.names == names && set.parts.allSatisfy { $0.mode == .exclusive })
        #expect(
            daemon.requests(.releaseAll).map(\.operation)
                == [.releaseAll(names: names, token: token)])
    }

    @Test func `may have a mode each`() async throws {
        let daemon = ScriptedDaemon()
        defer { daemon.stop() }
        let conclave = try await Conclave.connect(socket: daemon.path)
        let locks = try await conclave.locks([
            Lock.Wish("b", .shared), Lock.Wish("a", .permits(1, of: 2)),
        ])
        #expect(locks.validity.isValid)
        try await locks.release()
        guard case .acquireAll(let set)? = daemon.requests(.acquireAll).first?.operation else {
            Issue.record("not asked for as one")
            return
        }
        #expect(set.parts.map(\.mode) == [.permits(1, of: 2), .shared])
    }

    @Test func `say of a loss whichever of them it was`() async throws {
        let daemon = ScriptedDaemon { request in
            guard case .acquireAll(let set) = request.operation else {
                return ScriptedDaemon.grant(request)
            }
            let ends: [ConclaveWire.PreviousEnd] = [.released, .died]
            let grants = zip(set.parts, ends).map { part, end in
                LockGrant(
                    name: part.name, mode: part.mode, token: FencingToken(7), previousEnd: end)
            }
            return [.reply(.grantedAll(grants))]
        }
        defer { daemon.stop() }
        let conclave = try await Conclave.connect(socket: daemon.path)
        try await conclave.withLocks(["a", "b"]) { locks in
            #expect(locks.previousEnd == .died)
            #expect(locks.previousEnds == ["a": .released, "b": .died])
        }
    }

    @Test(arguments: [[], ["a", "a"], Array(repeating: "a", count: 65), ["a", ""]])
    func `that nobody can ask for as one are invalid`(names: [String]) async throws {
        let daemon = ScriptedDaemon()
        defer { daemon.stop() }
        let conclave = try await Conclave.connect(socket: daemon.path)
        do {
            try await conclave.withLocks(names) { _ in }
            Issue.record("\(names) were taken")
        } catch let error as ConclaveError {
            #expect(error.code == .invalid)
        }
        #expect(daemon.requests(.acquireAll).isEmpty)
    }

    @Test func `a try that finds one of them held is busy`() async throws {
        let daemon = ScriptedDaemon { request in
            guard case .acquireAll(let set) = request.operation else {
                return ScriptedDaemon.grant(request)
            }
            #expect(set.isTry)
            return [.reply(.busy(holder: SessionID(9)))]
        }
        defer { daemon.stop() }
        let conclave = try await Conclave.connect(socket: daemon.path)
        do {
            try await conclave.withLocks(["a", "b"], wait: .zero) { _ in }
            Issue.record("they were taken")
        } catch let error as ConclaveError {
            #expect(error.code == .busy)
        }
    }
}
