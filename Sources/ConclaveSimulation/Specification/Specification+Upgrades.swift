import ConclaveBase
import ConclaveWire

/// A lock that is held changes its mode.
extension Specification {
    mutating func downgrade(
        _ key: ObjectKey, _ token: FencingToken, _ id: SessionID, _ number: UInt64
    ) {
        guard let place = place(of: id, key, token) else { return refuse(id, number, .notHeld) }
        guard queues[key]!.holders[place].mode == .exclusive else {
            return refuse(id, number, .refused)
        }
        queues[key]!.holders[place].mode = .shared
        note(.downgraded(holding(queues[key]!.holders[place], key)), key)
        touched.insert(key)
        answer(id, number, .done)
        grantNext(key)
    }

    mutating func upgrade(
        _ key: ObjectKey, _ token: FencingToken, _ id: SessionID, _ number: UInt64
    ) {
        guard let place = place(of: id, key, token) else { return refuse(id, number, .notHeld) }
        guard queues[key]!.holders[place].mode == .shared else {
            return refuse(id, number, .refused)
        }
        if let upgrade = queues[key]!.upgrade {
            return refuse(id, number, upgrade.session == id ? .alreadyHeld : .deadlock)
        }
        queues[key]!.upgrade = (id, number)
        if !grantsAreSuspended, grantUpgrade(key) { return }
        guard !closesCycle(queues[key]!.holders[place], in: key) else {
            queues[key]!.upgrade = nil
            return refuse(id, number, .deadlock)
        }
        touched.insert(key)
        wait(id, number, in: key)
    }

    /// Once nobody else holds it.
    mutating func grantUpgrade(_ key: ObjectKey) -> Bool {
        guard let (id, number) = queues[key]!.upgrade, queues[key]!.taken.count == 1,
            queues[key]!.closure == nil
        else { return false }
        queues[key]!.upgrade = nil
        queues[key]!.holders[0].mode = .exclusive
        let shared = queues[key]!.holders[0]
        queues[key]!.holders[0].token = version.number
        queues[key]!.holders[0].since = time
        note(
            .upgraded(
                holding(queues[key]!.holders[0], key), token: FencingToken(shared.token),
                since: shared.since), key)
        touched.insert(key)
        let grant = LockGrant(
            name: key.name, mode: .exclusive, token: FencingToken(version),
            previousEnd: queues[key]!.previousEnd)
        answer(id, number, .granted(grant))
        return true
    }

    private func place(of id: SessionID, _ key: ObjectKey, _ token: FencingToken) -> Int? {
        queues[key]?.holders.firstIndex { $0.session == id && $0.token == token.number }
    }
}
