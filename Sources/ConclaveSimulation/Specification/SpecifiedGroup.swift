import ConclaveBase
import ConclaveWire

/// A task group, as plainly as it can be said: who belongs to it, and what of its past is kept.
struct SpecifiedGroup {
    /// Of the present view.
    var number: UInt64
    /// When the present view began.
    var changed: Version
    /// When a member last began a state of the group's.
    var founded = Version.zero
    /// In the order of joining.
    var members: [GroupMember] = []
    /// By version.
    var kept: [GroupEntry] = []
    /// Everything after this version is kept.
    var floor: Version

    mutating func trim(maximumCount: Int) {
        while kept.count > maximumCount { floor = kept.removeFirst().version }
    }
}

/// What every task group was at every version, as the specification had it, and everything that
/// happened: nothing of it is ever forgotten.
struct GroupPictures {
    struct Picture {
        var version: Version
        var number: UInt64
        var members: [GroupMember]
        /// What led there; `nil`: another history did.
        var entry: GroupEntry?
    }

    private var pictures: [ObjectName: [Picture]] = [:]

    mutating func note(_ picture: Picture, of name: ObjectName) {
        pictures[name, default: []].append(picture)
    }

    /// From `version` on all groups are as in `groups`, without anything that led there.
    mutating func reset(to groups: [ObjectName: SpecifiedGroup], at version: Version) {
        for name in pictures.keys {
            let group = groups[name]
            let picture = Picture(
                version: version, number: group?.number ?? 0, members: group?.members ?? [],
                entry: nil)
            pictures[name]!.append(picture)
        }
    }

    func picture(of name: ObjectName, at version: Version) -> Picture? {
        pictures[name]?.last { $0.version <= version }
    }

    /// After `version`, up to `last`.
    func entries(of name: ObjectName, after version: Version, upTo last: Version) -> [GroupEntry] {
        let all = pictures[name] ?? []
        let first = all.lastIndex { $0.version <= version }.map { $0 + 1 } ?? 0
        return all[first...].prefix { $0.version <= last }.compactMap(\.entry)
    }
}
