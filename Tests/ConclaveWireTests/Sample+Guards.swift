import ConclaveBase
import ConclaveWire
import Testing

extension Sample {
    private static let name = try! ObjectName("db/migrate")
    private static let other = try! ObjectName("db/copy")

    private static func acquire(_ name: ObjectName) -> Operation {
        .acquire(name: name, mode: .exclusive, isTry: false)
    }

    private static let someGuards: LossGuards = {
        var guards = LossGuards()
        let token = FencingToken(7)
        guards.sent(acquire(name), number: 3, onLoss: .kill)
        let lock = LockGrant(name: name, mode: .exclusive, token: token, previousEnd: .none)
        guards.answered(.granted(lock), to: 3)
        for (number, slot) in [(4, name), (5, other)] as [(UInt64, ObjectName)] {
            guards.sent(.campaign(slot: slot, value: []), number: number, onLoss: .freeze)
            let term = Term(slot: slot, token: token, previousEnd: .none, previousValue: [])
            guards.answered(.elected(term), to: number)
        }
        guards.sent(.handOver(slot: name, token: token, to: SessionID(9)), number: 6)
        let set = LockSet([LockSet.Part(name, .shared), LockSet.Part(other, .exclusive)])
        guards.sent(.acquireAll(set), number: 7, onLoss: .signal)
        guards.sent(acquire(other), number: 8, onLoss: .freeze)
        return guards
    }()

    static let guards: [Sample] = [
        .operation(acquire(name), onLoss: .signal),
        .operation(.campaign(slot: name, value: [1]), onLoss: .freeze),
        .operation(.acquireAll(LockSet([LockSet.Part(name, .shared)])), onLoss: .kill),
        Sample(
            "resume with guards",
            ResumeRequest(
                session: SessionID(9), secret: Secret(high: 1, low: 2), confirmed: 5,
                guards: someGuards),
            decode: { try ResumeRequest(from: &$0) }, encode: { $0.encode(into: &$1) }),
        Sample(
            "guards", someGuards, decode: { try LossGuards(from: &$0) },
            encode: { $0.encode(into: &$1) }),
    ]
}
