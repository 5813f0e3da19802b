import ConclaveBase
import ConclaveClientCore
import ConclaveWire

/// The state that the programs of a task group have in common: everything that was said to it since
/// somebody began the state.
struct GroupFold: Equatable {
    private(set) var count: UInt64 = 0
    private(set) var hash: UInt64 = 0

    init() {}

    init?(_ bytes: [UInt8]) {
        var reader = ByteReader(bytes)
        guard let count: UInt64 = try? reader.integer("count"),
            let hash: UInt64 = try? reader.integer("hash")
        else { return nil }
        (self.count, self.hash) = (count, hash)
    }

    var bytes: [UInt8] {
        var writer = ByteWriter()
        writer.integer(count)
        writer.integer(hash)
        return writer.bytes
    }

    mutating func take(_ message: ClientCore.GroupDelivery) {
        count += 1
        var random = SeededRandom(seed: hash ^ message.version.number)
        hash = random.next()
    }
}

/// What the state of each group was for whoever has it, at every message: all must agree.
struct GroupFolds {
    private var folds: [ObjectName: [Version: GroupFold]] = [:]

    mutating func check(
        _ fold: GroupFold, of name: ObjectName, at version: Version
    ) throws(Violation) {
        let known = folds[name, default: [:]].updateValue(fold, forKey: version)
        guard let known, known != fold else { return }
        throw Violation(
            .totalOrder,
            "members of \(name) have two states at \(version.counter): after \(known.count) and "
                + "after \(fold.count) messages")
    }
}

/// One membership's part in the state of its group: first it wants it, then it has it, and hands it to
/// newcomers.
struct StateMember {
    let name: ObjectName
    let token: FencingToken
    private var adoption: StateAdoption
    private var provision: StateProvision
    /// From when on it has the state.
    private var fold: GroupFold?
    /// It misses something, and can only join anew.
    private(set) var isLost = false

    init(_ joined: GroupJoined) {
        name = joined.name
        token = joined.token
        adoption = StateAdoption(own: joined.token)
        provision = StateProvision(own: joined.token)
    }

    /// Goes on from what the member is told as a newcomer.
    ///
    /// - Returns: From when on it has the state, once it does.
    mutating func adopt(
        _ updates: [ClientCore.GroupUpdate], world: ClientWorld
    ) throws(Violation) -> Version? {
        guard fold == nil, !isLost else { return nil }
        for update in updates {
            guard adoption.take(update) else {
                isLost = true
                return nil
            }
            guard let adopted = adoption.adopted else { continue }
            guard let bytes = adopted.state else {
                fold = GroupFold()
                return adopted.upTo
            }
            guard let handed = GroupFold(bytes) else {
                throw Violation(.totalOrder, "a state of \(name) came as \(bytes)")
            }
            fold = handed
            return adopted.upTo
        }
        return nil
    }

    mutating func request() -> Operation? {
        adoption.takeRequest().map { .adoptState(name: name, member: token, upTo: $0.upTo) }
    }

    mutating func refused() { adoption.refused() }

    /// Goes on from what the member is told since it has the state, and says what it must hand over.
    mutating func follow(
        _ updates: [ClientCore.GroupUpdate], world: ClientWorld
    ) throws(Violation) -> [ProvidedState] {
        var parts: [ProvidedState] = []
        for update in updates where !isLost {
            switch update {
            case .state(_, true): isLost = true
            case .message(let delivery):
                fold!.take(delivery)
                try world.folds.check(fold!, of: name, at: delivery.version)
            case .state(let picture, false), .view(let picture, _, _, _),
                .adopted(let picture, _, _):
                parts += due(in: picture)
            case .provided, .over: break
            }
        }
        return isLost ? [] : parts
    }

    private mutating func due(in picture: ClientCore.GroupPicture) -> [ProvidedState] {
        var newcomers = provision.due(among: picture.members.map { ($0.token, $0.possession) })
        // Nobody may rely on the order.
        if picture.version.number % 2 == 0 { newcomers.reverse() }
        return newcomers.flatMap { newcomer in
            provision.note(provided: newcomer)
            return ProvidedState.parts(
                of: fold!.bytes, from: token, to: newcomer, upTo: picture.version,
                partByteCount: 1 + Int(newcomer.number % 16))
        }
    }
}
