package import ConclaveBase
package import ConclaveWire
import DequeModule

/// Task groups as followers are told of them.
extension Coordinator {
    /// Groups with members.
    package var groupCount: Int { groups.count }

    /// Groups without members of which followers may still be told.
    package var desertedGroupCount: Int { groups.desertedCount }

    package var groupMembershipCount: Int { groups.membershipCount }

    /// Bytes of members and logs.
    package var groupByteCount: Int { groups.byteCount }

    /// Everything that happened to the group after this version is kept.
    package func groupFloor(_ name: ObjectName) -> Version { groups.floor(of: name) }

    /// Members of the group at `version`, by rank, from after `after` on, as far as `budget` goes.
    /// `isLast`: there are no more.
    ///
    /// - Precondition: `version` is not before `groupFloor`.
    package func groupMembers(
        _ name: ObjectName, at version: Version, after: FencingToken? = nil,
        _ budget: GroupBudget = .unlimited
    ) -> (number: UInt64, members: [GroupMember], isLast: Bool) {
        guard let index = groups.index(of: name) else { return (0, [], true) }
        let group = groups[index]
        let rest = group.members(at: version).drop { $0.token <= after ?? FencingToken(0) }
        var budget = budget
        let told = rest.prefix { member in
            defer { budget.spend(member.byteCount) }
            return !budget.isSpent
        }
        return (group.number(at: version), Array(told), told.count == rest.count)
    }

    /// Whether the group had that member at `version`.
    ///
    /// - Precondition: `version` is not before `groupFloor`.
    package func isMember(
        _ token: FencingToken, of name: ObjectName, at version: Version
    ) -> Bool {
        guard let index = groups.index(of: name) else { return false }
        return groups[index].members(at: version).contains { $0.token == token }
    }

    /// What happened to the group after `version`, in order, and how far that goes: to the version
    /// of the state if nothing was left out. With `member` it goes as far as the view without that
    /// member.
    ///
    /// - Precondition: `version` is not before `groupFloor`.
    package func groupEntries(
        _ name: ObjectName, after version: Version, withMessages: Bool = true,
        member: FencingToken? = nil, _ budget: GroupBudget = .unlimited
    ) -> GroupReading {
        var reading = GroupReading(entries: [], upTo: version, isOver: false)
        guard let index = groups.index(of: name) else {
            reading.upTo = max(version, self.version)
            return reading
        }
        let log = groups[index].log
        var budget = budget
        for place in groups[index].firstLogged(after: version)..<log.count {
            guard !budget.isSpent else { return reading }
            let record = log[place]
            reading.upTo = record.version
            if case .message = record.content, !withMessages { continue }
            reading.entries.append(record.entry)
            budget.spend(record.byteCount)
            if let member, record.ends(member) {
                reading.isOver = true
                return reading
            }
        }
        reading.upTo = max(version, self.version)
        return reading
    }
}

/// What one reading of a group gives at most.
package struct GroupBudget: Sendable {
    package var count: Int
    package var byteCount: Int

    package static let unlimited = GroupBudget(count: .max, byteCount: .max)

    package init(count: Int, byteCount: Int) {
        self.count = count
        self.byteCount = byteCount
    }

    var isSpent: Bool { count <= 0 || byteCount <= 0 }

    mutating func spend(_ byteCount: Int) {
        count -= 1
        self.byteCount -= byteCount
    }
}

/// What happened to a group, as far as it is told.
package struct GroupReading: Equatable, Sendable {
    package var entries: [GroupEntry]
    /// Nothing up to here is missing.
    package var upTo: Version
    /// The member that follows has left: there is no more.
    package var isOver: Bool
}
