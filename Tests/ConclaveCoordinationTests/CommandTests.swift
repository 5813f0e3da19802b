import ConclaveBase
import ConclaveCoordination
import ConclaveWire
import Testing

@Suite struct `Commands` {
    private static let name = ObjectName(known: "name")
    private static let resume = ResumeCommand(
        session: SessionID(3), secret: Secret(high: 1, low: 2), confirmed: 4,
        process: Stage.process(5), member: Stage.member(1), nonce: 6)

    static let all: [Command] = [
        .open(Stage.open(7)),
        .resume(resume),
        .request(
            session: SessionID(3), number: 4, confirmed: 2,
            operation: .acquire(name: name, mode: .shared, isTry: true)),
        .request(
            session: SessionID(3), number: 4, confirmed: 2,
            operation: .arrive(BarrierArrival(name: name, parties: 4, rank: 1, payload: [1]))),
        .confirm(session: SessionID(3), upTo: 9),
        .end(session: SessionID(3), attachment: 2, reason: .died),
        .expire(session: SessionID(3), attachment: 2, epoch: Epoch(9)),
        .yieldAttachment(session: SessionID(3), attachment: 2),
        .openGrants(epoch: Epoch(9)),
        .openLock(name: name, since: Version(9)),
        .expireLease(name: name, renewed: Version(9)),
        .request(
            session: SessionID(3), number: 4, confirmed: 2,
            operation: .lease(LeaseOperation(name, .renew(token: FencingToken(7))))),
        .request(
            session: SessionID(3), number: 4, confirmed: 2,
            operation: .latch(LatchOperation(name, .countDown(of: 7)))),
    ]

    private func decode(_ bytes: [UInt8]) throws -> Command {
        var reader = ByteReader(bytes)
        let command = try Command(from: &reader)
        try reader.finish()
        return command
    }

    @Test(arguments: all)
    func `a command comes back as it was encoded, and refuses its beginnings`(
        command: Command
    ) throws {
        #expect(try decode(command.bytes) == command)
        for count in command.bytes.indices {
            #expect(throws: WireError.self) { try decode(Array(command.bytes[..<count])) }
        }
    }

    @Test(arguments: all)
    func `what does not decode changes nothing, and is told`(command: Command) throws {
        var stage = Stage()
        let session = stage.open(7)
        stage.acquire(session, 1, Self.name)
        let sessions = stage.coordinator.sessions(attachedTo: Stage.member(1))
        for count in command.bytes.indices {
            stage.apply(bytes: Array(command.bytes[..<count]))
            #expect(stage.effects == [.notUnderstood(at: stage.version)])
        }
        stage.apply(bytes: command.bytes + [0])
        #expect(stage.effects == [.notUnderstood(at: stage.version)])
        #expect(stage.coordinator.sessions(attachedTo: Stage.member(1)) == sessions)
        #expect(stage.lock(Self.name)?.holders.map(\.session) == [session])
    }

    @Test(arguments: 0..<UInt64(20))
    func `no bytes make apply trap`(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var stage = Stage()
        for pid in UInt32(1)...3 { _ = stage.open(pid) }
        for _ in 0..<2_000 {
            var bytes = Self.all[Int(random.below(UInt64(Self.all.count)))].bytes
            for _ in 0..<random.below(4) {
                let place = Int(random.below(UInt64(bytes.count)))
                bytes[place] =
                    random.chance(perMille: 500) ? UInt8(random.below(4)) : UInt8(random.below(256))
            }
            stage.apply(bytes: bytes)
        }
    }

    @Test func `a unit name too long is cut off at a character`() {
        let process = ProcessIdentity(
            host: NodeID(1), pid: 1, startTime: 1, bootID: 1, uid: 1, gid: 1,
            unit: String(repeating: "ü", count: 200))
        #expect(process.unit == String(repeating: "ü", count: 127))
    }

    @Test func `a pid used again, or another boot, is another process`() {
        let process = Stage.process(7)
        #expect(process.isSameProcess(as: Stage.process(7, uid: 5)))
        #expect(!process.isSameProcess(as: Stage.process(8)))
        #expect(!process.isSameProcess(as: Stage.process(7, host: 2)))
        var later = process
        later.startTime += 1
        #expect(!process.isSameProcess(as: later))
        later = process
        later.bootID += 1
        #expect(!process.isSameProcess(as: later))
    }
}
