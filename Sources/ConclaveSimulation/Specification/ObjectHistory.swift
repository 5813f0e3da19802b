import ConclaveBase
import ConclaveWire

/// What a lock or slot was at each version, as the specification had it.
struct ObjectHistory {
    struct Holder: Equatable {
        var session: SessionID
        var token: UInt64
        var mode = LockMode.exclusive
        /// It waits to have alone what it shares.
        var isUpgrading = false
        var value: [UInt8]
    }

    struct Picture: Equatable {
        var holders: [Holder] = []
        var waiters: [SessionID] = []
    }

    /// By version, the newest last.
    private var pictures: [(version: Version, picture: Picture)] = []

    mutating func note(_ queue: SpecifiedQueue?, at version: Version) {
        var picture = Picture()
        if let queue {
            // Reports show one value: the first holder's.
            let value = queue.holders.first?.value ?? []
            picture.holders = queue.holders.map {
                Holder(
                    session: $0.session, token: $0.token, mode: $0.mode,
                    isUpgrading: $0.session == queue.upgrade?.session, value: value)
            }
            picture.waiters = queue.waiters.map(\.session)
        }
        pictures.append((version, picture))
    }

    /// State that was lost (V26) leaves nobody anything.
    mutating func clear(at version: Version) {
        pictures.append((version, Picture()))
    }

    func picture(at version: Version) -> Picture? {
        pictures.last { $0.version <= version }?.picture ?? Picture()
    }
}
