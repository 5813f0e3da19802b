import ConclaveBase
import ConclaveCoordination
import ConclaveWire
import TestSupport
import Testing

@Suite struct `Snapshots` {
    private let name = ObjectName(known: "name")

    /// Something of everything.
    private func fullStage() -> Stage {
        var stage = Stage()
        let sessions = stage.open(all: 1...5, hostCount: 3)
        stage.acquire(sessions[0], 1, name, .shared)
        stage.acquire(sessions[1], 1, name, .shared)
        stage.acquire(sessions[2], 1, name)
        stage.acquire(sessions[3], 1, name)
        stage.request(sessions[0], 2, .campaign(slot: name, value: [1]))
        stage.request(sessions[1], 2, .campaign(slot: name, value: [2]))
        for session in sessions[..<3] {
            stage.request(
                session, 3, .arrive(BarrierArrival(name: name, parties: 3, payload: [3])))
        }
        stage.request(sessions[3], 3, .arrive(BarrierArrival(name: name, parties: 2, rank: 1)))
        stage.request(sessions[3], 4, .cancel(number: 3, reason: .timedOut))
        stage.request(sessions[4], 1, .arrive(BarrierArrival(name: name, parties: 4, rank: 2)))
        stage.apply(
            .resume(
                ResumeCommand(
                    session: sessions[0], secret: Secret(high: 2, low: 1), confirmed: 0,
                    process: Stage.process(9), member: Stage.member(2), nonce: 5)))
        stage.request(sessions[1], 4, .joinGroup(GroupJoin(name: name)))
        stage.request(sessions[2], 4, .sendToGroup(name: name, payload: [5]))
        stage.request(sessions[2], 5, .latch(LatchOperation(name, .countDown(of: 2))))
        stage.request(sessions[2], 6, .latch(LatchOperation(name, .wait(of: 2))))
        let ended = stage.open(6)
        stage.acquire(ended, 1, name, isTry: true)
        stage.end(ended, .died)
        return stage
    }

    @Test func `a state is of its version, and of no earlier one`() {
        let coordinator = fullStage().coordinator
        #expect(coordinator.canBe(at: coordinator.version))
        #expect(coordinator.canBe(at: coordinator.version.next))
        #expect(!coordinator.canBe(at: Version(coordinator.version.number - 1)))
    }

    @Test func `a state read from its snapshot has the same snapshot and digest`() throws {
        let stage = fullStage()
        var restored = stage
        try restored.restore()
        #expect(restored.coordinator.encodeSnapshot() == stage.coordinator.encodeSnapshot())
        #expect(restored.coordinator.digest == stage.coordinator.digest)
        #expect(restored.coordinator.objectCount == 5)
        #expect(restored.coordinator.view == stage.coordinator.view)
    }

    @Test func `replies and queues are what they were`() throws {
        let stage = fullStage()
        var restored = stage
        try restored.restore()
        for session in stage.coordinator.sessions(attachedTo: Stage.member(1)).map(\.id) {
            let expected = stage.coordinator.storedReplies(of: session)
            let replies = restored.coordinator.storedReplies(of: session)
            #expect(replies.map(\.number) == expected.map(\.number))
            #expect(replies.map(\.reply) == expected.map(\.reply))
            #expect(
                restored.coordinator.waitingNumbers(of: session)
                    == stage.coordinator.waitingNumbers(of: session))
        }
        #expect(restored.coordinator.why(name) == stage.coordinator.why(name))
        #expect(restored.coordinator.leaderState(name) == stage.coordinator.leaderState(name))
    }

    /// What is told of a frozen state is what it was, whatever happens between two rows.
    @Test(arguments: 0..<UInt64(12))
    func `a snapshot that is told while the state goes on is that of its version`(
        seed: UInt64
    ) throws {
        var walk = RandomWalk(seed: seed)
        for _ in 0..<40 {
            for _ in 0..<20 { try walk.step() }
            let expected = walk.stage.coordinator.encodeSnapshot()
            let digest = walk.stage.coordinator.digest
            var frozen = walk.stage.coordinator.freeze()
            var told: [UInt8] = []
            while true {
                let row = frozen.nextRow()
                guard !row.isEmpty else { break }
                told += row
                try walk.step()
            }
            #expect(told + [0, 0, 0, 0] == expected)
            #expect(try Coordinator(snapshot: expected).digest == digest)
        }
    }

    /// Queues, arrivals and replies that do not fit one row.
    @Test func `long lists are told in several rows`() throws {
        var stage = Stage()
        let sessions = stage.open(all: 1...400)
        for session in sessions {
            stage.acquire(session, 1, name)
            stage.request(session, 3, .latch(LatchOperation(name, .wait(of: 2))))
            stage.request(
                session, 2,
                .arrive(
                    BarrierArrival(
                        name: name, parties: 500, payload: Array(repeating: 7, count: 1_000))))
        }
        for number in 4..<700 as Range<UInt64> {
            stage.acquire(sessions[0], number, name, isTry: true)
        }
        let ended = stage.open(999)
        for number in 1..<300 as Range<UInt64> {
            stage.acquire(ended, number, name, isTry: true)
        }
        stage.end(ended, .died)
        var frozen = stage.coordinator.freeze()
        var longest = 0
        while true {
            let row = frozen.nextRow()
            guard !row.isEmpty else { break }
            longest = max(longest, row.count)
        }
        #expect(longest < 40_000)
        let bytes = stage.coordinator.encodeSnapshot()
        let restored = try Coordinator(snapshot: bytes)
        #expect(restored.encodeSnapshot() == bytes)
        #expect(restored.digest == stage.coordinator.digest)
        #expect(restored.why(name) == stage.coordinator.why(name))
    }

    @Test func `a different state has a different digest`() {
        var stage = fullStage()
        let digest = stage.coordinator.digest
        stage.time.microseconds += 1
        stage.apply(.openGrants(epoch: .none))
        #expect(stage.coordinator.digest != digest)
    }

    @Test func `each beginning of a snapshot is refused`() {
        let bytes = fullStage().coordinator.encodeSnapshot()
        for count in bytes.indices {
            #expect(throws: WireError.self) {
                try Coordinator(snapshot: Array(bytes[..<count]))
            }
        }
        #expect(throws: WireError.trailing(byteCount: 1)) {
            try Coordinator(snapshot: bytes + [0])
        }
    }

    /// Its end would write a record that is there already.
    @Test func `a session that lives and has ended is refused`() throws {
        var stage = Stage()
        let ended = stage.open(1)
        stage.end(ended, .died)
        let living = stage.open(2)
        func bytes(of session: SessionID) -> [UInt8] {
            var writer = ByteWriter()
            writer.integer(session.number)
            return writer.bytes
        }
        var snapshot = stage.coordinator.encodeSnapshot()
        let place = try #require(snapshot.firstRange(of: bytes(of: ended)))
        snapshot.replaceSubrange(place, with: bytes(of: living))
        #expect(throws: WireError.invalid(field: "session", reason: "\(living) comes twice")) {
            try Coordinator(snapshot: snapshot)
        }
    }

    /// A checksum guards snapshots; what passes it must still not trap, nor later.
    @Test(arguments: 0..<UInt64(16))
    func `a changed snapshot is refused or gives a state that works`(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let bytes = fullStage().coordinator.encodeSnapshot()
        for _ in 0..<400 {
            var changed = bytes
            for _ in 0...random.below(2) {
                let place = Int(random.below(UInt64(bytes.count)))
                changed[place] =
                    random.chance(perMille: 300) ? 0xFF : UInt8(random.below(256))
            }
            guard var coordinator = try? Coordinator(snapshot: changed) else { continue }
            exercise(&coordinator)
        }
    }

    private func exercise(_ coordinator: inout Coordinator) {
        var effects: [CoordinationEffect] = []
        var version = coordinator.version
        guard version.counter < Version.counterMask / 2 else { return }
        let sessions = (1...3).flatMap {
            coordinator.sessions(attachedTo: Stage.member(UInt32($0)))
        }
        for session in sessions {
            let operations: [Operation] = [
                .acquire(name: name, mode: .shared, isTry: false),
                .cancel(number: 3, reason: .timedOut),
                .arrive(BarrierArrival(name: name, parties: 4)),
            ]
            for (number, operation) in zip(UInt64(20)..., operations) {
                version = version.next
                let command = Command.request(
                    session: session.id, number: number, confirmed: 2, operation: operation)
                coordinator.apply(
                    ByteReader(command.bytes), at: version, time: .zero, effects: &effects)
            }
            _ = coordinator.storedReplies(of: session.id)
        }
        _ = coordinator.why(name)
        for session in sessions {
            version = version.next
            let command = Command.end(
                session: session.id, attachment: session.attachment.number, reason: .goodbye)
            coordinator.apply(
                ByteReader(command.bytes), at: version, time: .zero, effects: &effects)
        }
        #expect(coordinator.digest != 0)
    }
}
