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
        var place: UInt32 = 0
    }

    struct Picture: Equatable {
        var holders: [Holder] = []
        var waiters: [SessionID] = []
        /// How many a slot has.
        var places: UInt32?

        /// Reports show one value, the first holder's, and no places.
        var reported: Picture {
            let value = holders.first?.value ?? []
            var picture = Picture(waiters: waiters)
            picture.holders = holders.map { holder in
                Holder(
                    session: holder.session, token: holder.token, mode: holder.mode,
                    isUpgrading: holder.isUpgrading, value: value)
            }
            return picture
        }
    }

    /// By version, the newest last.
    private var pictures: [(version: Version, picture: Picture)] = []

    mutating func note(_ queue: SpecifiedQueue?, of kind: ObjectKind, at version: Version) {
        var picture = Picture()
        if let queue {
            picture.holders = queue.holders.map {
                Holder(
                    session: $0.session, token: $0.token,
                    mode: kind == .lock ? $0.mode : .exclusive,
                    isUpgrading: $0.session == queue.upgrade?.session, value: $0.value,
                    place: $0.place)
            }
            picture.waiters = queue.all.map(\.session)
            picture.places = kind == .leaderSlot ? queue.limit : nil
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
