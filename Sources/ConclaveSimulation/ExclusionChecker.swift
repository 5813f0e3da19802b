import ConclaveBase
import ConclaveWire

/// C5 and C6: who believes to hold what, each by its own clock, and the tokens of each name.
struct ExclusionChecker {
    struct Key: Hashable {
        var kind: ObjectKind
        var name: String
        /// Of a leader slot: each of them is held by one at most.
        var place: UInt32 = 0

        static func lock(_ name: ObjectName) -> Key { Key(kind: .lock, name: name.text) }

        static func slot(_ name: ObjectName, place: UInt32 = 0) -> Key {
            Key(kind: .leaderSlot, name: name.text, place: place)
        }

        /// All places together: tokens grow over them.
        fileprivate var whole: Key { Key(kind: kind, name: name) }
    }

    private struct Holding {
        var client: ClientProcess
        var mode: LockMode
        var token: FencingToken
    }

    private var holdings: [Key: [Holding]] = [:]
    private var newestTokens: [Key: FencingToken] = [:]
    /// Exclusive grants, so that none is given twice.
    private var exclusiveTokens: [Key: Set<FencingToken>] = [:]
    /// Reads the clock of a client's host; set by the world.
    var instant: (ClientProcess) -> Instant = { _ in .distantPast }

    /// The newest token of a name that anybody was given: a request made now gets a larger one.
    func newestToken(of key: Key) -> FencingToken {
        newestTokens[key.whole] ?? FencingToken(0)
    }

    /// `newestBefore`: what `newestToken` said when the request was made.
    mutating func granted(
        _ key: Key, to client: ClientProcess, mode: LockMode, token: FencingToken,
        newestBefore: FencingToken
    ) throws(Violation) {
        guard token > newestBefore else {
            throw Violation(
                .fencing,
                "\(key.name): token \(token) was granted after \(newestBefore) was known")
        }
        if mode == .exclusive {
            guard exclusiveTokens[key, default: []].insert(token).inserted else {
                throw Violation(.fencing, "\(key.name): token \(token) was granted twice")
            }
        }
        newestTokens[key.whole] = max(newestToken(of: key), token)
        client.heldKeys.append(key)
        holdings[key, default: []].append(Holding(client: client, mode: mode, token: token))
        try check(key)
    }

    /// From the moment at which it says so a client has it together with others.
    mutating func downgraded(_ key: Key, by client: ClientProcess) {
        for index in holdings[key, default: []].indices
        where holdings[key]![index].client === client {
            holdings[key]![index].mode = .shared
        }
    }

    /// A client has alone what it had together with others.
    mutating func upgraded(
        _ key: Key, by client: ClientProcess, token: FencingToken, newestBefore: FencingToken
    ) throws(Violation) {
        letGo(key, by: client)
        try granted(
            key, to: client, mode: .exclusive, token: token, newestBefore: newestBefore)
    }

    mutating func letGo(_ key: Key, by client: ClientProcess) {
        holdings[key]?.removeAll { $0.client === client }
        client.heldKeys.removeAll { $0 == key }
    }

    mutating func letGoOfEverything(_ client: ClientProcess) {
        for key in client.heldKeys { holdings[key]?.removeAll { $0.client === client } }
        client.heldKeys.removeAll()
    }

    /// The client's session was shown to be valid for longer.
    func check(_ client: ClientProcess) throws(Violation) {
        for key in client.heldKeys { try check(key) }
    }

    private func check(_ key: Key) throws(Violation) {
        let valid = holdings[key, default: []].filter { $0.client.isValid(at: instant($0.client)) }
        guard valid.count > 1 else { return }
        if let limit = valid[0].mode.limit { return try check(valid, of: key, limit: limit) }
        guard let exclusive = valid.first(where: { $0.mode == .exclusive }) else { return }
        let other = valid.first { $0.client !== exclusive.client }
        guard let other else { return }
        throw Violation(
            .mutualExclusion,
            "\(key.kind) \(key.name), place \(key.place), is held by client \(exclusive.client.index) with token "
                + "\(exclusive.token) and by client \(other.client.index) with token "
                + "\(other.token)")
    }
    private func check(
        _ holdings: [Holding], of key: Key, limit: UInt32
    ) throws(Violation) {
        let count = holdings.reduce(0) { $0 + ($1.mode.permitCount ?? 0) }
        guard count > limit else { return }
        throw Violation(
            .mutualExclusion,
            "\(count) of the \(limit) permits of \(key.name) are held, by clients "
                + "\(holdings.map(\.client.index))")
    }
}
