package import ConclaveBase

/// A client's request that changes replicated state. The same bytes travel on the client socket, in
/// the ordered stream and in the journal.
package enum Operation: Equatable, Sendable {
    /// Waiters of a higher priority come first; within one, whoever came first. `lockDelay`: for how
    /// long nobody is granted the lock once this holder was lost.
    case acquire(
        name: ObjectName, mode: LockMode, isTry: Bool, priority: Int32 = 0,
        lockDelay: Interval = .zero, task: TaskTag = TaskTag())
    case release(name: ObjectName, token: FencingToken)
    /// All of them at one version, or none.
    case acquireAll(LockSet)
    /// Of locks that are held under one token: all of them, or none. `names` are in their order, each
    /// once.
    case releaseAll(names: [ObjectName], token: FencingToken)
    /// Shares a lock that is held alone.
    case downgrade(name: ObjectName, token: FencingToken)
    /// Waits to have a lock alone that is held together with others, and gets a new token then.
    case upgrade(name: ObjectName, token: FencingToken)
    /// Sets how many permits a semaphore gives out that somebody holds or awaits.
    case limit(name: ObjectName, limit: UInt32)
    /// `places`: how many lead the slot at once; `nil`: as many as it has, or one of a new one.
    case campaign(
        slot: ObjectName, value: [UInt8], priority: Int32 = 0, places: UInt32? = nil,
        task: TaskTag = TaskTag())
    case announce(slot: ObjectName, token: FencingToken, value: [UInt8])
    case resign(slot: ObjectName, token: FencingToken)
    /// The standby that is named leads next, before all others.
    case handOver(slot: ObjectName, token: FencingToken, to: SessionID)
    case arrive(BarrierArrival)
    /// Gives up the request of that number, in order (K10). An arrival that is cancelled breaks
    /// its generation.
    case cancel(number: UInt64, reason: CancelReason)
    case transact(KeyTransaction)
    case lease(LeaseOperation)
    /// Administration: see `Revocation`.
    case revoke(Revocation)
    /// One membership a session and group.
    case joinGroup(GroupJoin)
    case leaveGroup(name: ObjectName, member: FencingToken)
    case evictMember(name: ObjectName, member: FencingToken)
    /// To every member of the view in which it is ordered. Any session may send.
    case sendToGroup(name: ObjectName, payload: [UInt8])
    /// By a member that has the state, to one that wants it.
    case provideState(name: ObjectName, ProvidedState)
    /// The session's membership has the group's state, as it was handed that up to this version; `nil`:
    /// it begins a new one, since no member has any.
    case adoptState(name: ObjectName, member: FencingToken, upTo: Version?)
    case latch(LatchOperation)

    package var type: ClientFrameType {
        switch self {
        case .acquire: .acquire
        case .release: .release
        case .acquireAll: .acquireAll
        case .releaseAll: .releaseAll
        case .downgrade: .downgrade
        case .upgrade: .upgrade
        case .limit: .limit
        case .campaign: .campaign
        case .announce: .announce
        case .resign: .resign
        case .handOver: .handOver
        case .arrive: .arrive
        case .cancel: .cancel
        case .transact: .transact
        case .lease: .lease
        case .revoke: .revoke
        case .joinGroup: .joinGroup
        case .leaveGroup: .leaveGroup
        case .evictMember: .evictMember
        case .sendToGroup: .sendToGroup
        case .provideState: .provideState
        case .adoptState: .adoptState
        case .latch: .latch
        }
    }

    package func encode(into writer: inout ByteWriter) {
        switch self {
        case .acquire(let name, let mode, let isTry, let priority, let lockDelay, let task):
            writer.name(name)
            mode.encode(into: &writer)
            writer.flag(isTry)
            writer.integer(priority)
            writer.integer(lockDelay.nanoseconds)
            task.encode(into: &writer)
        case .release(let name, let token), .resign(let name, let token),
            .downgrade(let name, let token), .upgrade(let name, let token):
            writer.name(name)
            writer.integer(token.number)
        case .acquireAll(let set):
            set.encode(into: &writer)
        case .releaseAll(let names, let token):
            writer.list(names) { $1.name($0) }
            writer.integer(token.number)
        case .limit(let name, let limit):
            writer.name(name)
            writer.integer(limit)
        case .campaign(let slot, let value, let priority, let places, let task):
            writer.name(slot)
            writer.bytes(value)
            writer.integer(priority)
            writer.optional(places)
            task.encode(into: &writer)
        case .announce(let slot, let token, let value):
            writer.name(slot)
            writer.integer(token.number)
            writer.bytes(value)
        case .handOver(let slot, let token, let standby):
            writer.name(slot)
            writer.integer(token.number)
            writer.integer(standby.number)
        case .arrive(let arrival):
            arrival.encode(into: &writer)
        case .cancel(let number, let reason):
            writer.integer(number)
            writer.integer(reason.rawValue)
        case .transact(let transaction):
            transaction.encode(into: &writer)
        case .lease(let operation):
            operation.encode(into: &writer)
        case .revoke(let revocation):
            revocation.encode(into: &writer)
        case .joinGroup(let join):
            join.encode(into: &writer)
        case .leaveGroup(let name, let member), .evictMember(let name, let member):
            writer.name(name)
            writer.integer(member.number)
        case .sendToGroup(let name, let payload):
            writer.name(name)
            writer.bytes(payload)
        case .provideState(let name, let state):
            writer.name(name)
            state.encode(into: &writer)
        case .adoptState(let name, let member, let upTo):
            writer.name(name)
            writer.integer(member.number)
            writer.optional(upTo?.number)
        case .latch(let operation):
            operation.encode(into: &writer)
        }
    }

    /// Reads the body of a frame of `type`; `nil` if that type is no operation.
    package static func decode(
        _ type: ClientFrameType, from reader: inout ByteReader
    ) throws(WireError) -> Operation? {
        switch type {
        case .acquire:
            let name = try reader.name("name")
            let mode = try LockMode(from: &reader)
            let isTry = try reader.flag("try")
            let priority: Int32 = try reader.integer("priority")
            return .acquire(
                name: name, mode: mode, isTry: isTry, priority: priority,
                lockDelay: try reader.lockDelay("lock delay"), task: try TaskTag(from: &reader))
        case .release:
            return .release(name: try reader.name("name"), token: try reader.token("token"))
        case .acquireAll:
            return .acquireAll(try LockSet(from: &reader))
        case .releaseAll:
            let names = try reader.lockNames("names")
            return .releaseAll(names: names, token: try reader.token("token"))
        case .downgrade:
            return .downgrade(name: try reader.name("name"), token: try reader.token("token"))
        case .upgrade:
            return .upgrade(name: try reader.name("name"), token: try reader.token("token"))
        case .limit:
            let name = try reader.name("name")
            let limit: UInt32 = try reader.integer("limit")
            guard limit > 0 else { throw .invalid(field: "limit", reason: "must not be 0") }
            return .limit(name: name, limit: limit)
        case .campaign:
            let slot = try reader.name("slot")
            let value = try reader.bytes("value", maximum: ClientLimits.leaderValue)
            let priority: Int32 = try reader.integer("priority")
            let places = try reader.flag("has places") ? try reader.places("places") : nil
            return .campaign(
                slot: slot, value: value, priority: priority, places: places,
                task: try TaskTag(from: &reader))
        case .announce:
            let slot = try reader.name("slot")
            let token = try reader.token("token")
            let value = try reader.bytes("value", maximum: ClientLimits.leaderValue)
            return .announce(slot: slot, token: token, value: value)
        case .resign:
            return .resign(slot: try reader.name("slot"), token: try reader.token("token"))
        case .handOver:
            let slot = try reader.name("slot")
            let token = try reader.token("token")
            return .handOver(slot: slot, token: token, to: try reader.session("standby"))
        case .arrive:
            return .arrive(try BarrierArrival(from: &reader))
        case .cancel:
            let number: UInt64 = try reader.integer("number")
            return .cancel(number: number, reason: try reader.choice("reason"))
        case .transact:
            return .transact(try KeyTransaction(from: &reader))
        case .lease:
            return .lease(try LeaseOperation(from: &reader))
        case .revoke:
            return .revoke(try Revocation(from: &reader))
        case .latch:
            return .latch(try LatchOperation(from: &reader))
        default:
            return try decodeOfGroup(type, from: &reader)
        }
    }
}

extension Operation {
    private static func decodeOfGroup(
        _ type: ClientFrameType, from reader: inout ByteReader
    ) throws(WireError) -> Operation? {
        switch type {
        case .joinGroup:
            return .joinGroup(try GroupJoin(from: &reader))
        case .leaveGroup:
            return .leaveGroup(name: try reader.name("group"), member: try reader.token("member"))
        case .evictMember:
            return .evictMember(
                name: try reader.name("group"), member: try reader.token("member"))
        case .sendToGroup:
            let name = try reader.name("group")
            return .sendToGroup(
                name: name,
                payload: try reader.bytes("payload", maximum: ClientLimits.groupMessage))
        case .provideState:
            return .provideState(
                name: try reader.name("group"), try ProvidedState(from: &reader))
        case .adoptState:
            let name = try reader.name("group")
            let member = try reader.token("member")
            let upTo: UInt64? = try reader.optional("up to")
            return .adoptState(name: name, member: member, upTo: upTo.map { Version($0) })
        default:
            return nil
        }
    }
}

/// Why a client gives a request up; a barrier tells it to the other parties.
package enum CancelReason: UInt8, Sendable, CaseIterable {
    case gaveUp = 1
    case timedOut = 2
}
