import Conclave

extension GroupReceipt {
    var json: JSON {
        .object([
            "version": .unsigned(version.number), "view": .unsigned(viewNumber),
            "members": .count(memberCount),
        ])
    }

    var text: String {
        "sent to \(memberCount == 1 ? "1 member" : "\(memberCount) members") at version \(version)"
    }
}

extension GroupUpdate {
    func json(of group: String) -> JSON {
        switch kind {
        case .view: return view?.json("view") ?? .null
        case .resync: return view?.json("resync") ?? .null
        case .message: return message?.json(of: group) ?? .null
        case .doubtful(let reason):
            return .object([
                "event": .string("doubtful"), "group": .string(group), "reason": .string(reason),
            ])
        case .assured:
            return .object(["event": .string("assured"), "group": .string(group)])
        }
    }

    /// One line.
    var text: String {
        switch kind {
        case .view: return view?.line ?? ""
        case .resync: return "resync: views and messages may be missing; \(view?.line ?? "")"
        case .message: return message?.line ?? ""
        case .doubtful(let reason): return "doubtful: \(reason.onOneLine.shown)"
        case .assured: return "assured"
        }
    }
}

extension GroupView {
    fileprivate func json(_ event: String) -> JSON {
        .object([
            "event": .string(event), "group": .string(group), "view": .unsigned(number),
            "version": .unsigned(version.number),
            "members": .array(members.enumerated().map { $1.json(rank: $0) }),
            "joined": .array(joined.map { .unsigned($0.token.number) }),
            "departed": .array(departed.map(\.json)),
            "adopted": .optional(adopted, { .unsigned($0.token.number) }),
        ])
    }

    /// By rank.
    var table: String {
        var table = Table("RANK", "MEMBER", "NODE", "PID", "LABEL", "ATTRIBUTES")
        for (rank, member) in members.enumerated() {
            table.add(
                "\(rank)", "\(member.token)", "\(member.host)", "\(member.pid)",
                member.label.onOneLine.shown, member.attributeText)
        }
        return table.text
    }

    fileprivate var line: String {
        let count = members.count == 1 ? "1 member" : "\(members.count) members"
        var line = "view \(number): \(count)"
        let listed = members.enumerated().map { "\($0) \($1.words)" }
        if !listed.isEmpty { line += ": \(listed.joined(separator: ", "))" }
        if !joined.isEmpty {
            line += "; joined \(joined.map(\.words).joined(separator: ", "))"
        }
        let gone = departed.map { "\($0.member.words) (\($0.reason))" }
        if !gone.isEmpty { line += "; gone \(gone.joined(separator: ", "))" }
        if let adopted { line += "; has the state now: \(adopted.words)" }
        return line
    }
}

extension GroupMember {
    fileprivate func json(rank: Int) -> JSON {
        .object([
            "rank": .count(rank), "member": .unsigned(token.number),
            "session": .unsigned(session.number), "host": host.json,
            "pid": .unsigned(UInt64(pid)), "uid": .unsigned(UInt64(uid)), "label": .string(label),
            "attributes": .object(
                sortedAttributes.map { JSON.Member(name: $0.key, value: .string($0.value)) }),
            "hasState": .bool(hasState),
        ])
    }

    private var sortedAttributes: [(key: String, value: String)] {
        attributes.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
    }

    fileprivate var attributeText: String {
        sortedAttributes.map { "\($0.key)=\($0.value)".onOneLine.shown }.joined(separator: " ")
    }

    fileprivate var words: String {
        let facts = "node \(host) pid \(pid)"
        return attributes.isEmpty ? facts : "\(facts) \(attributeText)"
    }
}

extension GroupDeparture {
    fileprivate var json: JSON {
        .object([
            "member": .unsigned(member.token.number), "session": .unsigned(member.session.number),
            "host": member.host.json, "pid": .unsigned(UInt64(member.pid)),
            "reason": .string(reason.description),
        ])
    }
}

extension GroupMessage {
    fileprivate func json(of group: String) -> JSON {
        .object([
            "event": .string("message"), "group": .string(group), "view": .unsigned(viewNumber),
            "version": .unsigned(version.number), "time": .string(time.text),
            "rank": .optional(rank, JSON.count),
            "member": .optional(member, { .unsigned($0.number) }),
            "session": .unsigned(sender.number), "host": host.json,
            "pid": .unsigned(UInt64(pid)), "text": .string(text),
        ])
    }

    fileprivate var line: String {
        let from = rank.map { "member \($0)" } ?? "no member"
        return "message from \(from), node \(host) pid \(pid): \(text.onOneLine.shown)"
    }
}
