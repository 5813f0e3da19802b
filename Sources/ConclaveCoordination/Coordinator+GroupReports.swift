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
    ///
    /// - Precondition: `version` is not before `groupFloor`.
    package func groupMembers(
        _ name: ObjectName, at version: Version, after: FencingToken? = nil,
        member: FencingToken? = nil, _ budget: GroupBudget = .unlimited
    ) -> GroupPage {
        guard let index = groups.index(of: name) else {
            return GroupPage(
                number: 0, members: [], isLast: true, isOver: member != nil, lookedCount: 0)
        }
        let group = groups[index]
        let all = group.members(at: version)
        let rest = all.drop { $0.token <= after ?? FencingToken(0) }
        var budget = budget
        let told = rest.prefix { member in
            defer { budget.spend(member.byteCount) }
            return !budget.isSpent
        }
        return GroupPage(
            number: group.number(at: version), members: Array(told),
            isLast: told.count == rest.count,
            isOver: member.map { own in !all.contains { $0.token == own } } ?? false,
            lookedCount: group.members.count + group.log.count - group.firstLogged(after: version))
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
        var reading = GroupReading(entries: [], upTo: version, isOver: false, lookedCount: 0)
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
            reading.lookedCount += 1
            guard record.isTold(to: member, withMessages: withMessages) else {
                budget.spend(0)
                continue
            }
            budget.spend(record.byteCount)
            reading.entries.append(record.entry)
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

/// Members of a group at a version, as far as they are told.
package struct GroupPage: Equatable, Sendable {
    /// Of the view; 0: nobody has joined the group yet, as far as is known.
    package var number: UInt64
    package var members: [GroupMember]
    /// There are no more.
    package var isLast: Bool
    /// The member that follows is none at that version.
    package var isOver: Bool
    /// Members and entries that were looked at.
    package var lookedCount: Int
}

/// What happened to a group, as far as it is told.
package struct GroupReading: Equatable, Sendable {
    package var entries: [GroupEntry]
    /// Nothing up to here is missing.
    package var upTo: Version
    /// The member that follows has left: there is no more.
    package var isOver: Bool
    /// Entries that were looked at, told or not.
    package var lookedCount: Int
}
