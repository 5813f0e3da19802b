import ConclaveBase

/// What a session holds and asks for that its process is to be stopped for before anybody else may
/// have it.
///
/// A client and its daemon keep the same account, each by the frames that it sends or takes: what is
/// let go of counts as let go of with the frame that says so, and what is granted with the reply. A
/// client that resumes its session hands its own over.
package struct LossGuards: Equatable, Sendable {
    /// One session holds it once at most.
    struct Object: Hashable, Comparable {
        var kind: ObjectKind
        var name: ObjectName

        static func < (lhs: Self, rhs: Self) -> Bool {
            (lhs.kind.rawValue, lhs.name) < (rhs.kind.rawValue, rhs.name)
        }
    }

    struct Holding: Equatable {
        var token: FencingToken
        var action: LossAction
    }

    /// A request that is not answered.
    struct Wish: Equatable {
        var action: LossAction
        /// How many objects it asks for.
        var count: Int
    }

    /// A term that was let go of, unless its hand-over is refused.
    struct HandOver: Equatable {
        var object: Object
        var holding: Holding
    }

    /// The strongest of what is held; `notify`: of nothing.
    package private(set) var strongest = LossAction.notify
    private(set) var held: [Object: Holding] = [:] {
        didSet { strongest = held.values.reduce(.notify) { max($0, $1.action) } }
    }
    private(set) var awaited: [UInt64: Wish] = [:]
    /// How many objects those ask for together.
    private var awaitedObjectCount = 0
    private(set) var handOvers: [UInt64: HandOver] = [:]

    package init() {}

    package var isEmpty: Bool { held.isEmpty && awaited.isEmpty && handOvers.isEmpty }

    /// How many objects one operation asks for; none: nothing is held by it.
    package static func count(of operation: Operation) -> Int {
        switch operation {
        case .acquire, .campaign: 1
        case .acquireAll(let set): set.parts.count
        default: 0
        }
    }

    /// Whether that many more are not too many, besides those of the request of that number.
    package func hasRoom(for count: Int, number: UInt64) -> Bool {
        let others = awaitedObjectCount - (awaited[number]?.count ?? 0)
        return held.count + handOvers.count + others + count <= ClientLimits.guardedObjects
    }

    /// The client has sent `operation`, perhaps once more.
    package mutating func sent(
        _ operation: Operation, number: UInt64, onLoss action: LossAction = .notify
    ) {
        guard action != .notify || !isEmpty else { return }
        switch operation {
        case .acquire, .acquireAll, .campaign:
            guard action != .notify else { return }
            note(number, Wish(action: action, count: Self.count(of: operation)))
        case .upgrade(let name, let token):
            // It is held under the old token until the new one is granted.
            guard let holding = held[Object(kind: .lock, name: name)], holding.token == token
            else { return }
            note(number, Wish(action: holding.action, count: 1))
        case .release(let name, let token): letGo(.lock, name, token)
        case .releaseAll(let names, let token):
            for name in names { letGo(.lock, name, token) }
        case .resign(let slot, let token): letGo(.leaderSlot, slot, token)
        case .handOver(let slot, let token, _):
            guard let holding = letGo(.leaderSlot, slot, token) else { return }
            let object = Object(kind: .leaderSlot, name: slot)
            handOvers[number] = HandOver(object: object, holding: holding)
        default: break
        }
    }

    /// The group, or the daemon before it, has answered a request.
    ///
    /// - Returns: Whether it was one of those that count here.
    @discardableResult
    package mutating func answered(_ reply: Reply, to number: UInt64) -> Bool {
        if let handOver = handOvers.removeValue(forKey: number) {
            if case .refused(let refusal) = reply, refusal.code != .notHeld,
                refusal.code != .sessionEnded
            {
                held[handOver.object] = handOver.holding
            }
            return true
        }
        guard let wish = note(number, nil) else { return false }
        switch reply {
        case .granted(let grant): hold(.lock, grant.name, grant.token, wish.action)
        case .grantedAll(let grants):
            for grant in grants { hold(.lock, grant.name, grant.token, wish.action) }
        case .elected(let term): hold(.leaderSlot, term.slot, term.token, wish.action)
        default: break
        }
        return true
    }

    /// Returns what it takes the place of.
    @discardableResult
    private mutating func note(_ number: UInt64, _ wish: Wish?) -> Wish? {
        let old = awaited[number]
        awaited[number] = wish
        awaitedObjectCount += (wish?.count ?? 0) - (old?.count ?? 0)
        return old
    }

    private mutating func hold(
        _ kind: ObjectKind, _ name: ObjectName, _ token: FencingToken, _ action: LossAction
    ) {
        held[Object(kind: kind, name: name)] = Holding(token: token, action: action)
    }

    @discardableResult
    private mutating func letGo(
        _ kind: ObjectKind, _ name: ObjectName, _ token: FencingToken
    ) -> Holding? {
        let object = Object(kind: kind, name: name)
        // Whoever lets go of what it hands over has let go of it, also if the hand-over is refused.
        if !handOvers.isEmpty {
            handOvers = handOvers.filter {
                $0.value.object != object || $0.value.holding.token != token
            }
        }
        guard let holding = held[object], holding.token == token else { return nil }
        return held.removeValue(forKey: object)
    }
}

/// Layout: what is held, then what is asked for, then hand-overs; each in order.
extension LossGuards {
    package init(from reader: inout ByteReader) throws(WireError) {
        var last: Object?
        var held: [Object: Holding] = [:]
        for _ in 0..<(try reader.count("held", maximum: ClientLimits.guardedObjects)) {
            let object = try Object(from: &reader)
            if let last, !(last < object) {
                throw .invalid(field: "held", reason: "\(object.name) is not in order")
            }
            last = object
            held[object] = try Holding(from: &reader)
        }
        self.held = held
        strongest = held.values.reduce(.notify) { max($0, $1.action) }
        var newest: UInt64 = 0
        for _ in 0..<(try reader.count("awaited", maximum: ClientLimits.requestsInFlight)) {
            newest = try reader.number("awaited", after: newest)
            let action = try reader.lossAction("on loss")
            let count = try reader.byte("count")
            guard count > 0, count <= ClientLimits.lockSet else {
                throw .invalid(field: "count", reason: "\(count) locks are asked for")
            }
            note(newest, Wish(action: action, count: Int(count)))
        }
        newest = 0
        for _ in 0..<(try reader.count("hand-overs", maximum: ClientLimits.guardedObjects)) {
            newest = try reader.number("hand-over", after: newest)
            let object = try Object(from: &reader)
            handOvers[newest] = HandOver(object: object, holding: try Holding(from: &reader))
        }
    }

    package func encode(into writer: inout ByteWriter) {
        writer.count(held.count)
        for (object, holding) in held.sorted(by: { $0.key < $1.key }) {
            object.encode(into: &writer)
            holding.encode(into: &writer)
        }
        writer.count(awaited.count)
        for (number, wish) in awaited.sorted(by: { $0.key < $1.key }) {
            writer.integer(number)
            writer.integer(wish.action.rawValue)
            writer.integer(UInt8(clamping: wish.count))
        }
        writer.count(handOvers.count)
        for (number, handOver) in handOvers.sorted(by: { $0.key < $1.key }) {
            writer.integer(number)
            handOver.object.encode(into: &writer)
            handOver.holding.encode(into: &writer)
        }
    }
}

extension LossGuards.Object {
    fileprivate init(from reader: inout ByteReader) throws(WireError) {
        kind = try reader.claimedKind("kind")
        name = try reader.name("name")
    }

    fileprivate func encode(into writer: inout ByteWriter) {
        writer.integer(kind.rawValue)
        writer.name(name)
    }
}

extension LossGuards.Holding {
    fileprivate init(from reader: inout ByteReader) throws(WireError) {
        token = try reader.token("token")
        action = try reader.lossAction("on loss")
    }

    fileprivate func encode(into writer: inout ByteWriter) {
        writer.integer(token.number)
        writer.integer(action.rawValue)
    }
}

extension ByteReader {
    /// One that does something.
    fileprivate mutating func lossAction(_ field: String) throws(WireError) -> LossAction {
        let action: LossAction = try choice(field)
        guard action != .notify else {
            throw .invalid(field: field, reason: "nothing is to be done")
        }
        return action
    }

    fileprivate mutating func number(
        _ field: String, after last: UInt64
    ) throws(WireError) -> UInt64 {
        let number: UInt64 = try integer(field)
        guard number > last else {
            throw .invalid(field: field, reason: "\(number) does not come after \(last)")
        }
        return number
    }
}
