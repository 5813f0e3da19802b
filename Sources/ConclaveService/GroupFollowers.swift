import ConclaveBase
import ConclaveWire

/// How far a follower of a task group is in the group's log.
enum GroupPlace: Equatable, Sendable {
    /// The members at `version` are being told; up to `after` they were.
    case state(Version, after: FencingToken?, isResync: Bool)
    case entries(after: Version)
}

extension GroupFollow: Named {}

/// Who follows task groups. One that the log has gone past begins anew.
typealias GroupFollowers = NamedFollowers<GroupFollow, GroupPlace>

extension GroupFollowers {
    /// Something happened to the group at `version`: who had been told everything before it knows all
    /// up to there.
    @inline(never)
    mutating func noteChange(of name: ObjectName, at version: Version) {
        for id in told(of: name) {
            guard case .entries(let after)? = table[id]?.place, after < version else { continue }
            setBehind(id, at: .entries(after: Version(version.number &- 1)))
        }
    }
}
