import ConclaveBase
import ConclaveWire
import Testing

@Suite struct `What a process is stopped for` {
    private var guards = LossGuards()
    private let name = try! ObjectName("a")
    private let other = try! ObjectName("b")

    private func acquire(_ name: ObjectName) -> Operation {
        .acquire(name: name, mode: .exclusive, isTry: false)
    }

    private func grant(_ name: ObjectName, _ token: UInt64) -> LockGrant {
        LockGrant(
            name: name, mode: .exclusive, token: FencingToken(token), previousEnd: .none)
    }

    private mutating func hold(_ name: ObjectName, _ action: LossAction, number: UInt64) {
        guards.sent(acquire(name), number: number, onLoss: action)
        guards.answered(.granted(grant(name, number)), to: number)
    }

    @Test mutating func `is what is granted, not what is asked for`() {
        guards.sent(acquire(name), number: 1, onLoss: .kill)
        #expect(guards.strongest == .notify)
        guards.answered(.granted(grant(name, 5)), to: 1)
        #expect(guards.strongest == .kill)
    }

    @Test(arguments: [Reply.cancelled, .busy(holder: nil), .refused(Refusal(.deadlock, ""))])
    mutating func `is nothing after another answer`(reply: Reply) {
        guards.sent(acquire(name), number: 1, onLoss: .kill)
        guards.answered(reply, to: 1)
        #expect(guards.isEmpty)
    }

    @Test mutating func `is nothing that was let go of, from the frame on that says so`() {
        hold(name, .kill, number: 1)
        hold(other, .freeze, number: 2)
        guards.sent(.release(name: name, token: FencingToken(9)), number: 3)
        #expect(guards.strongest == .kill, "a token of the past lets go of nothing")
        guards.sent(.release(name: name, token: FencingToken(1)), number: 4)
        #expect(guards.strongest == .freeze)
        guards.answered(.done, to: 4)
        guards.sent(.release(name: other, token: FencingToken(2)), number: 5)
        #expect(guards.isEmpty)
    }

    @Test mutating func `is each of several locks until all are let go of`() {
        let set = LockSet([LockSet.Part(name, .shared), LockSet.Part(other, .shared)])
        guards.sent(.acquireAll(set), number: 1, onLoss: .freeze)
        guards.answered(.grantedAll([grant(name, 4), grant(other, 4)]), to: 1)
        guards.sent(.release(name: name, token: FencingToken(4)), number: 2)
        #expect(guards.strongest == .freeze)
        guards.sent(.releaseAll(names: [name, other], token: FencingToken(4)), number: 3)
        #expect(guards.isEmpty)
    }

    @Test mutating func `has room for as many as may be guarded, whatever was answered meanwhile`()
    {
        let limit = ClientLimits.guardedObjects
        for number in 1...UInt64(limit) {
            guards.sent(acquire(name), number: number, onLoss: .kill)
            guards.sent(acquire(name), number: number, onLoss: .kill)
        }
        #expect(!guards.hasRoom(for: 1, number: UInt64(limit) + 1))
        #expect(guards.hasRoom(for: 1, number: 1), "sent once more")
        guards.answered(.cancelled, to: 1)
        #expect(guards.hasRoom(for: 1, number: UInt64(limit) + 1))
        #expect(!guards.hasRoom(for: 2, number: UInt64(limit) + 1))
        guards.answered(.granted(grant(name, 2)), to: 2)
        #expect(guards.hasRoom(for: 1, number: UInt64(limit) + 1), "held in place of asked for")
        #expect(!guards.hasRoom(for: 2, number: UInt64(limit) + 1))
    }

    @Test mutating func `asks for no more than may be in flight, when it comes with a session`()
        throws
    {
        func encoded() -> [UInt8] {
            var writer = ByteWriter()
            guards.encode(into: &writer)
            return writer.bytes
        }
        for number in 1...UInt64(ClientLimits.requestsInFlight) {
            guards.sent(acquire(name), number: number, onLoss: .kill)
        }
        var reader = ByteReader(encoded())
        #expect(try LossGuards(from: &reader) == guards)
        guards.sent(acquire(name), number: 9_999, onLoss: .kill)
        #expect(throws: WireError.self) {
            var reader = ByteReader(encoded())
            _ = try LossGuards(from: &reader)
        }
    }

    @Test mutating func `is nothing that was resigned while its hand-over was not answered`() {
        let campaign = Operation.campaign(slot: name, value: [])
        guards.sent(campaign, number: 1, onLoss: .kill)
        let term = Term(slot: name, token: FencingToken(5), previousEnd: .none, previousValue: [])
        guards.answered(.elected(term), to: 1)
        guards.sent(
            .handOver(slot: name, token: FencingToken(5), to: SessionID(7)), number: 2)
        guards.sent(.resign(slot: name, token: FencingToken(5)), number: 3)
        guards.answered(.refused(Refusal(.refused, "")), to: 2)
        #expect(guards.isEmpty)
    }

    @Test mutating func `goes on under the token of an upgrade`() {
        hold(name, .kill, number: 1)
        guards.sent(.upgrade(name: name, token: FencingToken(1)), number: 2)
        #expect(guards.strongest == .kill, "it is held meanwhile")
        guards.answered(.granted(grant(name, 8)), to: 2)
        guards.sent(.release(name: name, token: FencingToken(1)), number: 3)
        #expect(guards.strongest == .kill)
        guards.sent(.release(name: name, token: FencingToken(8)), number: 4)
        #expect(guards.isEmpty)
    }

    @Test(arguments: [(Reply.done, false), (.refused(Refusal(.refused, "")), true)])
    mutating func `is a term again whose hand-over is refused`(reply: Reply, isHeld: Bool) {
        guards.sent(.campaign(slot: name, value: []), number: 1, onLoss: .kill)
        let term = Term(
            slot: name, token: FencingToken(3), previousEnd: .none, previousValue: [])
        guards.answered(.elected(term), to: 1)
        guards.sent(
            .handOver(slot: name, token: FencingToken(3), to: SessionID(2)), number: 2)
        #expect(guards.strongest == .notify)
        guards.answered(reply, to: 2)
        #expect(guards.strongest == (isHeld ? .kill : .notify))
    }

    @Test mutating func `is bounded, and a request that comes again counts once`() {
        for number in 1...UInt64(ClientLimits.guardedObjects) {
            guards.sent(acquire(name), number: number, onLoss: .kill)
        }
        #expect(guards.hasRoom(for: 1, number: 1))
        #expect(!guards.hasRoom(for: 1, number: 5_000))
    }

    @Test func `the margin is a second, or a quarter of a ttl that is shorter than four`() {
        #expect(LossAction.margin(of: .seconds(5)) == .seconds(1))
        #expect(LossAction.margin(of: .seconds(3)) == .milliseconds(750))
    }

    @Test func `an operation that nothing is held after asks for nothing`() {
        let release = Operation.release(name: name, token: FencingToken(1))
        var writer = ByteWriter()
        OperationFrame(confirmed: 0, onLoss: .kill, operation: release).encode(into: &writer)
        let bytes = writer.bytes
        #expect(
            throws: WireError.invalid(
                field: "on loss", reason: "nothing is held after release")
        ) {
            var reader = ByteReader(bytes)
            _ = try OperationFrame(.release, from: &reader)
        }
    }

    @Test func `what is not in order is refused`() {
        var writer = ByteWriter()
        writer.count(2)
        for name in [other, name] {
            writer.integer(ObjectKind.lock.rawValue)
            writer.name(name)
            writer.integer(UInt64(7))
            writer.integer(LossAction.kill.rawValue)
        }
        let bytes = writer.bytes
        #expect(throws: WireError.invalid(field: "held", reason: "a is not in order")) {
            var reader = ByteReader(bytes)
            _ = try LossGuards(from: &reader)
        }
    }
}
