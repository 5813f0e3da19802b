import ConclaveBase
import ConclaveWire

extension Coordinator {
    mutating func transact(
        _ transaction: KeyTransaction, _ request: RequestReference,
        effects: inout [CoordinationEffect]
    ) {
        if let message = transaction.fault {
            refuse(request, .invalid, message, effects: &effects)
            return
        }
        if plant != .compareIgnored, let mismatch = mismatch(of: transaction) {
            answer(request, .mismatched(mismatch), effects: &effects)
            return
        }
        if let message = quotaMessage(of: transaction, request) {
            refuse(request, .quotaExceeded, message, effects: &effects)
            return
        }
        let changed = carryOut(transaction, request)
        let written = KeysWritten(version: version, changedCount: UInt32(changed.count))
        answer(request, .written(written), effects: &effects)
        tellChanged(changed, effects: &effects)
    }

    /// The first compare that does not hold.
    private func mismatch(of transaction: KeyTransaction) -> KeyMismatch? {
        for (index, compare) in transaction.compares.enumerated() {
            let found = keys.stamp(of: compare.key)
            let holds =
                switch compare.expectation {
                case .absent: found == nil
                case .present: found != nil
                case .version(let version): found?.modified == version
                }
            guard !holds else { continue }
            return KeyMismatch(
                version: version, index: UInt32(index), key: compare.key, found: found)
        }
        return nil
    }

    private func quotaMessage(
        of transaction: KeyTransaction, _ request: RequestReference
    ) -> String? {
        let session = sessions[request.session].id
        let uid = sessions[request.session].process.uid
        var growth = KeyGrowth()
        for operation in transaction.operations {
            growth.add(operation, before: keys.present(operation.key), session, uid)
        }
        if growth.count > 0, objectCount + growth.count > quotas.objects {
            return Self.objectQuotaMessage(quotas.objects)
        }
        if uid != 0, growth.countOfUID > 0,
            keys.count(ofUID: uid) + growth.countOfUID > quotas.keysPerUID
        {
            return
                "there are \(keys.count(ofUID: uid)) keys of uid \(uid), of \(quotas.keysPerUID) that "
                + "one user may have: delete some first"
        }
        if growth.ephemeralCount > 0,
            keys.ephemeralCount(of: session) + growth.ephemeralCount
                > quotas.ephemeralKeysPerSession
        {
            return
                "\(quotas.ephemeralKeysPerSession) keys go with the session already: delete some"
        }
        if growth.byteCount > 0, !hasRoom(forValueBytes: growth.byteCount) {
            return Self.valueQuotaMessage(quotas.valueByteCount)
        }
        if uid != 0, growth.byteCountOfUID > 0,
            keys.valueByteCount(ofUID: uid) + growth.byteCountOfUID
                > quotas.valueByteCountPerUID
        {
            return
                "the keys of uid \(uid) have \(quotas.valueByteCountPerUID) bytes already: delete some"
        }
        return nil
    }

    /// Returns the keys that are not as they were, by name.
    private mutating func carryOut(
        _ transaction: KeyTransaction, _ request: RequestReference
    ) -> [ObjectName] {
        let session = sessions[request.session].id
        let uid = sessions[request.session].process.uid
        var changed: [ObjectName] = []
        for operation in transaction.operations.sorted(by: { $0.key < $1.key }) {
            switch operation {
            case .put(let key, let value, let isEphemeral):
                keys.put(
                    key, value: value, session: isEphemeral ? session : nil, uid: uid, at: now)
            case .delete(let key):
                guard keys.present(key) != nil else { continue }
                keys.delete(key, at: now)
            }
            changed.append(operation.key)
        }
        return changed
    }

    /// With a session go the keys that it has put to last no longer.
    mutating func deleteKeys(of session: SessionID, effects: inout [CoordinationEffect]) {
        guard plant != .keyOutlivesSession else { return }
        let gone = keys.ephemerals(of: session)
        for key in gone { keys.delete(key, asSessionEnded: true, at: now) }
        tellChanged(gone, effects: &effects)
    }

    private mutating func tellChanged(
        _ changed: [ObjectName], effects: inout [CoordinationEffect]
    ) {
        guard !changed.isEmpty else { return }
        effects.append(.keysChanged(changed, at: version))
        keys.trim(
            maximumCount: quotas.keyHistoryCount, maximumByteCount: quotas.keyHistoryByteCount)
    }
}

/// What a transaction adds, or takes away.
private struct KeyGrowth {
    var count = 0
    var ephemeralCount = 0
    /// Of keys that are the user's who asks.
    var countOfUID = 0
    var byteCount = 0
    /// Of values that are the user's who asks.
    var byteCountOfUID = 0

    mutating func add(
        _ operation: KeyOperation, before: KeyRevision.Present?, _ session: SessionID,
        _ uid: UInt32
    ) {
        if let before {
            count -= 1
            byteCount -= before.value.count
            if before.uid == uid {
                countOfUID -= 1
                byteCountOfUID -= before.value.count
            }
            if before.session == session { ephemeralCount -= 1 }
        }
        guard case .put(_, let value, let isEphemeral) = operation else { return }
        count += 1
        byteCount += value.count
        countOfUID += 1
        byteCountOfUID += value.count
        if isEphemeral { ephemeralCount += 1 }
    }
}

extension KeyTransaction {
    /// Why it can never happen.
    fileprivate var fault: String? {
        if compares.isEmpty, operations.isEmpty {
            return "a transaction must compare something or change something"
        }
        var named: Set<ObjectName> = []
        for operation in operations where !named.insert(operation.key).inserted {
            return "key \(operation.key) is changed twice in one transaction"
        }
        return nil
    }
}
