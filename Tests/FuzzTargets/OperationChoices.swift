import ConclaveBase
import ConclaveCoordination
import ConclaveWire

/// Requests on few names, under tokens and generations that may be right.
enum OperationChoices {
    static let names = ["a", "b", "c"].compactMap { try? ObjectName($0) }

    static func operation(
        _ source: inout ByteSource, knowing coordinator: Coordinator
    ) -> Operation {
        let name = source.pick(names)
        let held = coordinator.why(name).objects.flatMap(\.holders).map(\.token)
        let token = FencingToken(source.number(near: held + [coordinator.version.number]))
        switch source.choice(of: 9) {
        case 0, 1:
            return .acquire(
                name: name, mode: mode(&source), isTry: source.flag(), priority: priority(&source))
        case 2: return .release(name: name, token: token)
        case 3:
            return .campaign(
                slot: name, value: source.bytes(source.choice(of: 16)),
                priority: priority(&source))
        case 4:
            return .announce(
                slot: name, token: token, value: source.bytes(source.choice(of: 16)))
        case 5: return .resign(slot: name, token: token)
        case 6: return .arrive(arrival(at: name, &source, knowing: coordinator))
        case 7: return .limit(name: name, limit: 1 + UInt32(source.choice(of: 4)))
        default:
            return .cancel(
                number: source.number(near: [1, 2, 3, 4]),
                reason: source.pick(CancelReason.allCases))
        }
    }

    private static func mode(_ source: inout ByteSource) -> LockMode {
        switch source.choice(of: 3) {
        case 0: return .exclusive
        case 1: return .shared
        default:
            let limit = 1 + UInt32(source.choice(of: 4))
            let count = 1 + UInt32(source.choice(of: Int(limit)))
            return .permits(count, of: source.flag() ? limit : nil)
        }
    }

    private static func priority(_ source: inout ByteSource) -> Int32 {
        source.pick([0, 1, -1, .max, .min])
    }

    private static func arrival(
        at name: ObjectName, _ source: inout ByteSource, knowing coordinator: Coordinator
    ) -> BarrierArrival {
        let counts = [UInt32(2), 3, 1, 4, 130, ClientLimits.barrierParties]
        let parties = source.pick(counts)
        let form = source.byte()
        let rank = form & 1 == 1 ? UInt32(source.choice(of: 4)) % parties : nil
        let generations = coordinator.why(name).objects.map(\.generation)
        let generation =
            form & 2 == 2
            ? source.number(near: generations + [coordinator.version.number]) : nil
        return BarrierArrival(
            name: name, parties: parties, rank: rank, generation: generation,
            payload: source.bytes(source.choice(of: 12)))
    }
}
