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
        switch source.choice(of: 19) {
        case 0:
            return .acquire(
                name: name, mode: mode(&source), isTry: source.flag(), priority: priority(&source),
                lockDelay: .seconds(Int64(source.choice(of: 3))),
                task: tag(&source, knowing: coordinator))
        case 1: return .transact(transaction(&source, knowing: coordinator))
        case 2: return .release(name: name, token: token)
        case 3:
            return .campaign(
                slot: name, value: source.bytes(source.choice(of: 16)),
                priority: priority(&source), places: source.flag() ? 2 : nil,
                task: tag(&source, knowing: coordinator))
        case 4:
            return .announce(
                slot: name, token: token, value: source.bytes(source.choice(of: 16)))
        case 5: return .resign(slot: name, token: token)
        case 6: return .arrive(arrival(at: name, &source, knowing: coordinator))
        case 7: return .limit(name: name, limit: 1 + UInt32(source.choice(of: 4)))
        case 8: return .downgrade(name: name, token: token)
        case 10:
            let sessions = (1...16).map { SessionID(coordinator.version.number &- $0) }
            return .handOver(slot: name, token: token, to: source.pick(sessions))
        case 9: return .upgrade(name: name, token: token)
        case 12: return .lease(lease(name, &source, knowing: coordinator))
        case 13: return .revoke(revocation(name, token, &source, knowing: coordinator))
        case 16: return .latch(latch(name, &source))
        case 17:
            return .acquireAll(
                LockSet(
                    some(&source).map { LockSet.Part($0, mode(&source)) }, isTry: source.flag(),
                    priority: priority(&source),
                    lockDelay: .seconds(Int64(source.choice(of: 3))),
                    task: tag(&source, knowing: coordinator)))
        case 18: return .releaseAll(names: some(&source), token: token)
        case 14, 15: return GroupChoices.operation(name, &source, knowing: coordinator)
        default:
            return .cancel(
                number: source.number(near: [1, 2, 3, 4]),
                reason: source.pick(CancelReason.allCases))
        }
    }

    /// One, two or all of the names, in their order.
    private static func some(_ source: inout ByteSource) -> [ObjectName] {
        let form = source.byte()
        let some = names.enumerated().filter { form & (1 << $0.offset) != 0 }.map(\.element)
        return some.isEmpty ? [source.pick(names)] : some
    }

    private static func latch(
        _ name: ObjectName, _ source: inout ByteSource
    ) -> LatchOperation {
        let count = 1 + UInt32(source.choice(of: 3))
        return switch source.choice(of: 5) {
        case 0: LatchOperation(name, .remove)
        case 1, 2: LatchOperation(name, .wait(of: count))
        default: LatchOperation(name, .countDown(of: count))
        }
    }

    private static func lease(
        _ name: ObjectName, _ source: inout ByteSource, knowing coordinator: Coordinator
    ) -> LeaseOperation {
        let known = coordinator.leaseReport(name)?.grant.token ?? FencingToken(1)
        let token = FencingToken(source.number(near: [known.number]))
        let ttl = source.pick([Interval.seconds(5), .seconds(3_601), Interval(nanoseconds: .max)])
        switch source.choice(of: 4) {
        case 0: return LeaseOperation(name, .renew(token: token))
        case 1: return LeaseOperation(name, .release(token: token))
        case 2:
            return LeaseOperation(
                name, .transfer(token: token, holder: "heir", ttl: source.flag() ? ttl : nil))
        default: return LeaseOperation(name, .grant(ttl: ttl, holder: "holder"))
        }
    }

    private static func revocation(
        _ name: ObjectName, _ token: FencingToken, _ source: inout ByteSource,
        knowing coordinator: Coordinator
    ) -> Revocation {
        let holders = coordinator.why(name).objects.flatMap(\.holders).map(\.session)
        let sessions = (1...8).map { SessionID(coordinator.version.number &- $0) }
        let session = source.pick(sessions + holders)
        let form = source.byte()
        guard form & 3 != 0 else { return Revocation(session, .session, .force) }
        let kind = form & 4 == 0 ? ObjectKind.lock : .leaderSlot
        return Revocation(
            session, .holding(kind, name, token),
            form & 8 == 0 ? .force : .notice(within: .seconds(1), heir: session))
    }

    /// Sessions are numbered by versions: some of the last ones are.
    private static func tag(
        _ source: inout ByteSource, knowing coordinator: Coordinator
    ) -> TaskTag {
        let form = source.byte()
        guard form & 1 == 1 else { return TaskTag() }
        let sessions = (1...16).map { coordinator.version.number &- $0 }
        let within = (0..<Int(form >> 6)).map { _ in
            TaskReference(
                session: SessionID(source.pick(sessions)), number: UInt64(source.byte() & 1))
        }
        return TaskTag(number: UInt64(form >> 1 & 3), within: within)
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

    private static func transaction(
        _ source: inout ByteSource, knowing coordinator: Coordinator
    ) -> KeyTransaction {
        let compares = (0..<source.choice(of: 3)).map { _ in
            let key = source.pick(names)
            let known = coordinator.key(key, at: coordinator.version)?.stamp.modified.number
            switch source.choice(of: 3) {
            case 0: return KeyCompare(key, .absent)
            case 1: return KeyCompare(key, .present)
            default:
                let version = source.number(near: [known ?? coordinator.version.number])
                return KeyCompare(key, .version(Version(version)))
            }
        }
        let operations = (0..<source.choice(of: 4)).map { _ in
            let key = source.pick(names)
            let form = source.byte()
            if form & 3 == 0 { return KeyOperation.delete(key) }
            return .put(
                key, value: source.bytes(source.choice(of: 16)), isEphemeral: form & 4 != 0)
        }
        return KeyTransaction(compares: compares, operations: operations)
    }

    /// A question about those keys.
    static func keyQuery(_ source: inout ByteSource) -> KeyQuery {
        let key = source.pick(names)
        let form = source.byte()
        let selection: KeyQuery.Selection =
            form & 1 == 0
            ? .key(key)
            : .prefix(
                form & 2 == 0 ? "" : key.text, after: form & 4 == 0 ? nil : key,
                limit: UInt32(source.byte()))
        let moments: [KeyMoment] = [
            .now, .version(Version(source.number(near: [1, 2, 5]))),
            .time(Timestamp(microseconds: source.number(near: [1, 1_000_000]))),
        ]
        return KeyQuery(
            selection, at: source.pick(moments), isLocal: form & 8 != 0,
            namesOnly: form & 16 != 0)
    }

    static func keyWatch(_ source: inout ByteSource) -> KeyWatch {
        let key = source.pick(names)
        let form = source.byte()
        return KeyWatch(
            form & 1 == 0 ? .key(key) : .prefix(form & 2 == 0 ? "" : key.text),
            from: form & 4 == 0 ? nil : Version(source.number(near: [1, 2, 5])))
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
        if form & 4 == 4 {
            let members = coordinator.groupMembers(name, at: coordinator.version).members
            let tokens = members.map(\.token)
            let member = source.pick(tokens + [FencingToken(1)])
            return BarrierArrival(
                name: name, group: BarrierGroup(name, among: form & 8 == 8 ? tokens : []),
                member: member, generation: generation,
                payload: source.bytes(source.choice(of: 12)))
        }
        return BarrierArrival(
            name: name, parties: parties, rank: rank, generation: generation,
            payload: source.bytes(source.choice(of: 12)))
    }
}
