import Conclave

extension GroupStatus {
    var text: String {
        let place = rank.map { "rank \($0) of epoch \(epoch)" } ?? "in no view"
        let state = isServing ? "is serving" : "is not serving: \(reason)"
        return """
            node \(node) \(state.shown)
            \(place), durability \(isDurable ? "disk" : "memory"), version \(version)
            \(sessionCount) sessions, \(objectCount) objects; its own copy is \(lag)\(disorder)

            \(members.table)
            """
    }

    private var disorder: String {
        disturbances.map {
            "\nby order (see 'conclave chaos'): \($0.disturbance.words), for \($0.remaining.text) more"
        }.joined()
    }

    /// How far the own copy may be behind.
    var lag: String {
        age.map { "at most \($0.text) behind" }
            ?? "behind by nobody knows how much: it was outside the majority ever since it began"
    }
}

extension [MemberStatus] {
    var table: String {
        var table = Table("NODE", "ADDRESS", "STATE", "RANK")
        for member in self {
            table.add(
                "\(member.node)", member.address, "\(member.state)",
                member.rank.map(String.init) ?? "")
        }
        return table.text
    }
}

extension ViewChange {
    /// One line; views may follow each other for a long time.
    var text: String {
        var line = "\(at.text)  epoch \(epoch): members \(members.list)"
        if !joined.isEmpty { line += "; joined \(joined.list)" }
        for departed in departed {
            line += "; \(departed.node) gone (\(departed.reason), by \(departed.by), "
            line += "silent for \(departed.silent.text))"
        }
        if historyWasGivenUp {
            line += "; by 'conclave recover': what only the others had is lost, all sessions ended"
        }
        if stateWasLost { line += "; the state was lost: it begins empty" }
        return line
    }
}

extension RecoveryReport {
    var text: String {
        let removed =
            removedMembers.isEmpty
            ? ""
            : "\nremoved, since not reached: \(removedMembers.list); 'conclave member add' brings "
                + "them back, with an empty data directory"
        return """
            goes on alone in view \(epoch), in another history; all sessions have ended
            versions and tokens go on in era \(era), from \(version)
            \(begins)
            members: \(keptMembers.list)\(removed)
            nothing is granted for \(quietFor.text)
            """
    }

    private var begins: String {
        stateWasLost
            ? "the state is empty: it was in memory, and no member that was reached has it"
            : "applied: \(appliedMessageCount) messages that were not known to be delivered"
    }
}

extension [NodeID] {
    fileprivate var list: String { map(\.description).joined(separator: ", ") }
}

extension [ObjectStatus] {
    var table: String {
        var table = Table("KIND", "NAME", "MODE", "HELD BY", "TOKEN", "SINCE", "VALID", "WAITING")
        for object in self {
            let holder = object.holders.first
            let others = object.holderCount - 1
            table.add(
                "\(object.kind)", object.name, object.mode?.text ?? "",
                holder.map { $0.who + (others > 0 ? " and \(others) more" : "") }
                    ?? object.closedFor.map { "nobody: closed for \($0.text)" } ?? "",
                holder?.token?.description ?? "", holder?.since.text ?? "",
                holder?.remaining?.text ?? "",
                object.partyCount > 0
                    ? "\(object.waiterCount) of \(object.partyCount)" : "\(object.waiterCount)")
        }
        return table.text
    }
}

extension Claim {
    var who: String { "node \(host), pid \(pid)" }

    /// Everything that helps to find the process.
    var details: String {
        var text = "session \(session) (\(who), uid \(uid)"
        if !unit.isEmpty { text += ", \(unit)" }
        text += ")"
        if let token { text += ", token \(token)" }
        if let count = mode.permitCount { text += ", \(count) permit\(count == 1 ? "" : "s")" }
        if isUpgrading { text += ", waiting to have it alone" }
        if let set { text += ", waiting \(set.words)" }
        if priority != 0 { text += ", priority \(priority)" }
        text += ", \(token == nil ? "waiting" : "held") since \(since.text)"
        if let remaining { text += ", valid for \(remaining.text)" }
        if !label.isEmpty { text += ": \(label)" }
        return text.shown
    }
}

extension Claim.WaitingSet {
    fileprivate var words: String {
        let first = "for \(count) locks as one, "
        switch standing {
        case .reserved: return first + "this one kept for it" + reason
        case .coming: return first + "this one later" + reason
        default: return first + "now for this one"
        }
    }

    private var reason: String {
        next.map { ", now for lock \($0)" } ?? " until none of them is closed"
    }
}

extension Explanation {
    func text(_ name: String) -> String {
        guard !objects.isEmpty || lease != nil || group != nil else {
            return "nobody holds or awaits \(name.shown)"
        }
        var lines = objects.flatMap(\.lines)
        if let lease { lines.append(lease.text) }
        if let group {
            let count = group.memberCount == 1 ? "1 member" : "\(group.memberCount) members"
            lines.append("task group \(group.name), view \(group.view): \(count)".shown)
        }
        if !chain.isEmpty { lines.append("who waits for whom:") }
        var before: Edge?
        for edge in chain {
            let isOther = before.map { $0.holder != edge.waiter } ?? false
            let waiter = isOther ? "for that session \(edge.waiter)" : "session \(edge.waiter)"
            before = edge
            lines.append(
                "  \(waiter) waits for \(edge.kind.words) \(edge.name.shown), which "
                    + (edge.isReserved
                        ? "is kept for session \(edge.holder)"
                        : "session \(edge.holder) \(edge.kind == .barrier ? "must reach" : "holds")")
            )
        }
        return lines.joined(separator: "\n")
    }
}

extension ObjectStatus.Kind {
    var words: String { self == .leaderSlot ? "leader slot" : description }
}

extension ObjectStatus {
    fileprivate var lines: [String] {
        var lines = [title]
        for holder in holders { lines.append("  held by \(holder.details)") }
        if holderCount > holders.count { lines.append("  and \(holderCount - holders.count) more") }
        for (position, waiter) in waiters.enumerated() {
            lines.append("  \(kind == .barrier ? "arrived" : "\(position + 1).") \(waiter.details)")
        }
        if waiterCount > waiters.count { lines.append("  and \(waiterCount - waiters.count) more") }
        for absence in missing { lines.append("  missing: \(absence.text)") }
        let unnamed = kind == .barrier ? partyCount - waiterCount - missing.count : 0
        if unnamed > 0 { lines.append("  and \(unnamed) more are missing") }
        return lines
    }

    private var title: String {
        var title = "\(kind.words) \(name)"
        if let limit, kind == .leaderSlot {
            if limit > 1 { title += ", \(holderCount) of \(limit) places taken" }
        } else if let limit {
            let taken = holders.reduce(0) { $0 + UInt64($1.mode.permitCount ?? 0) }
            title += ", \(taken) of \(limit) permits taken"
        } else if let mode {
            title += ", \(mode.text)"
        }
        if let closedFor {
            title += ", closed for \(closedFor.text) since a holder was lost"
        }
        if kind == .barrier {
            title += ", generation \(generation): \(waiterCount) of \(partyCount) arrived"
            if let group { title += ", members of group \(group.name) in view \(group.view)" }
            if let first = waiters.first { title += ", the first at \(first.since.text)" }
        }
        if let remaining {
            title += remaining == 0 ? ", open" : ", \(remaining) of \(partyCount) remain"
        }
        if !value.isEmpty { title += ", value \(text)" }
        return title.shown
    }
}

extension LeaderChange {
    var text: String {
        let standbys = standbyCount == 1 ? "1 standby" : "\(standbyCount) standbys"
        var line = "nobody leads \(slot), \(standbys)"
        if places > 1 {
            line = "\(slot) is led by \(leaders.count) of \(places), \(standbys)"
            for leader in leaders { line += "; place \(leader.place): \(leader.details)" }
        } else if let leader {
            line = "node \(leader.host), pid \(leader.pid) leads \(slot) since \(leader.since.text)"
            line += ", term \(leader.token)"
            if !leader.value.isEmpty { line += ", value \(leader.text)" }
            line += ", \(standbys)"
        }
        if let doubt { line = "doubtful, \(doubt); last known: \(line)" }
        return line.shown
    }
}

extension LeaderChange.Leader {
    fileprivate var details: String {
        let value = value.isEmpty ? "" : ", value \(text)"
        return "node \(host), pid \(pid) since \(since.text), term \(token)\(value)"
    }
}

extension BarrierGeneration {
    var text: String {
        var table = Table("RANK", "NODE", "PID", "ARRIVED", "PAYLOAD")
        for party in parties {
            table.add(
                "\(party.rank)", "\(party.host)", "\(party.pid)", party.arrivedAt.text, party.text)
        }
        let view = viewNumber.map { ", view \($0)" } ?? ""
        return "generation \(number), rank \(rank) of \(parties.count)\(view)\n\(table.text)"
    }
}

extension BarrierReport {
    /// In one line: why, and who is missing.
    var text: String {
        guard !missing.isEmpty else { return message.shown }
        return "\(message); missing: \(missing.map(\.text).joined(separator: ", "))".shown
    }
}

extension BarrierReport.Absence {
    fileprivate var text: String {
        var known: [String] = []
        if let host { known.append("node \(host)") }
        if let pid { known.append("pid \(pid)") }
        if hasEnded { known.append("has ended") }
        if let lastSeen { known.append("last seen \(lastSeen.text)") }
        return known.isEmpty ? "rank \(rank)" : "rank \(rank) (\(known.joined(separator: ", ")))"
    }
}
