package import ConclaveBase
package import ConclaveWire

extension Coordinator {
    package var keyCount: Int { keys.count }

    /// Keys that go with a session.
    package var ephemeralKeyCount: Int { keys.ephemeralCount }

    /// The history of keys is whole from this version on.
    package var keyFloor: Version { keys.floor.version }

    /// The version whose state is meant by `moment`.
    package func version(of moment: KeyMoment) throws(HistoryFault) -> Version {
        switch moment {
        case .now: return version
        case .version(let asked):
            guard asked <= version else { throw .notReached(version, time) }
            guard asked >= keys.floor.version else { throw keysGone }
            return asked
        case .time(let asked):
            guard asked <= time else { throw .notReached(version, time) }
            guard asked >= keys.floor.time else { throw keysGone }
            return keys.version(at: asked)
        }
    }

    private var keysGone: HistoryFault {
        .gone(floor: keys.floor.version, keys.floor.time)
    }

    /// - Precondition: `version` is not before `keyFloor`.
    package func key(_ name: ObjectName, at version: Version) -> KeyEntry? {
        keys.index(of: name).flatMap { keys.rows[$0].entry(at: version) }
    }

    /// Keys with `prefix`, by name, from after `after` on, as far as `budget` goes. `next`: where to
    /// go on if there may be more.
    ///
    /// - Precondition: `version` is not before `keyFloor`.
    package func keys(
        prefix: String, after: ObjectName? = nil, at version: Version, _ budget: KeyBudget
    ) -> (entries: [KeyEntry], next: ObjectName?) {
        keys.page(prefix: prefix, after: after, at: version, budget)
    }

    /// Changes after `cursor` of keys that `isMeant` wants, in order, and how far they go.
    ///
    /// - Precondition: `cursor` is not before `keyFloor`.
    package func keyChanges(
        after cursor: KeyCursor, _ budget: KeyBudget, where isMeant: (ObjectName) -> Bool
    ) -> (changes: [KeyChange], cursor: KeyCursor) {
        keys.changes(after: cursor, at: version, budget, where: isMeant)
    }
}
