import ConclaveBase
import ConclaveCoordination
import ConclaveWire

/// Keys: all of a transaction happens at one version, or nothing.
extension Specification {
    mutating func transact(_ transaction: KeyTransaction, _ id: SessionID, _ number: UInt64) {
        let named = transaction.operations.map(\.key)
        guard Set(named).count == named.count,
            !transaction.compares.isEmpty || !transaction.operations.isEmpty
        else { return refuse(id, number, .invalid) }
        for (index, compare) in transaction.compares.enumerated() where !keys.holds(compare) {
            let mismatch = KeyMismatch(
                version: version, index: UInt32(index), key: compare.key,
                found: keys.values[compare.key]?.stamp)
            return answer(id, number, .mismatched(mismatch))
        }
        var after = keys
        let changed = carryOut(transaction, id, in: &after)
        guard isWithinQuotas(after, id) else { return refuse(id, number, .quotaExceeded) }
        keys = after
        answer(
            id, number,
            .written(KeysWritten(version: version, changedCount: UInt32(changed.count))))
        tellChanged(changed)
    }

    private func carryOut(
        _ transaction: KeyTransaction, _ id: SessionID, in keys: inout SpecifiedKeys
    ) -> [ObjectName] {
        var changed: [ObjectName] = []
        for operation in transaction.operations.sorted(by: { $0.key < $1.key }) {
            let before = keys.values[operation.key]
            switch operation {
            case .put(let key, let value, let isEphemeral):
                let stamp = KeyStamp(
                    created: before?.stamp.created ?? version, modified: version,
                    putCount: (before?.stamp.putCount ?? 0) + 1,
                    session: isEphemeral ? id : nil)
                keys.set(
                    key,
                    to: SpecifiedKeys.Value(
                        stamp: stamp, time: time, uid: sessions[id]!.process.uid, value: value),
                    at: version, time)
                changed.append(key)
            case .delete(let key):
                guard before != nil else { continue }
                keys.set(key, to: nil, at: version, time)
                changed.append(key)
            }
        }
        return changed
    }

    /// What a transaction does not make worse it may leave as it is.
    private func isWithinQuotas(_ after: SpecifiedKeys, _ id: SessionID) -> Bool {
        let uid = sessions[id]!.process.uid
        let countGrowth = after.values.count - keys.values.count
        let byteGrowth = after.valueByteCount - keys.valueByteCount
        let (owned, ownedAfter) = (
            keys.valueByteCount(ofUID: uid), after.valueByteCount(ofUID: uid)
        )
        let (bound, boundAfter) = (keys.ephemerals(of: id).count, after.ephemerals(of: id).count)
        return (countGrowth <= 0 || objectCount + countGrowth <= quotas.objects)
            && (byteGrowth <= 0 || valueByteCount + byteGrowth <= quotas.valueByteCount)
            && (uid == 0 || ownedAfter <= owned || ownedAfter <= quotas.valueByteCountPerUID)
            && (uid == 0 || after.count(ofUID: uid) <= keys.count(ofUID: uid)
                || after.count(ofUID: uid) <= quotas.keysPerUID)
            && (boundAfter <= bound || boundAfter <= quotas.ephemeralKeysPerSession)
    }

    mutating func deleteKeys(of id: SessionID) {
        let gone = keys.ephemerals(of: id)
        for key in gone { keys.set(key, to: nil, at: version, time, isSessionEnd: true) }
        tellChanged(gone)
    }

    private mutating func tellChanged(_ changed: [ObjectName]) {
        guard !changed.isEmpty else { return }
        effects.append(.keysChanged(changed, at: version))
        changedKeys += changed.map { name in
            keys.changes.last { $0.name == name && $0.version == version }!
        }
        keys.trim(
            maximumCount: quotas.keyHistoryCount, maximumByteCount: quotas.keyHistoryByteCount)
    }
}
