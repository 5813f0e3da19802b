import Conclave

extension ObjectHistory {
    var json: JSON {
        .object([
            "name": .string(name), "version": .unsigned(version.number),
            "floor": .unsigned(floor.number), "floorTime": .string(floorTime.text),
            "states": .array(states.map(\.json)), "events": .array(events.map(\.json)),
            "hasOlder": .bool(hasOlder),
        ])
    }

    /// `moment`: of which it is, as it was given; `nil`: of now.
    func text(of kind: ObjectStatus.Kind? = nil, at moment: String?) -> String {
        var lines: [String] = []
        if let moment {
            for state in states where state.kind != .barrier {
                lines += state.lines(name, at: moment)
            }
        }
        if hasOlder, moment == nil { lines.append("older events are left out: see --limit") }
        lines += events.map(\.text)
        if events.isEmpty {
            lines.append(nothing(of: kind, before: moment))
        } else if !hasOlder {
            lines.append(whole)
        }
        return lines.joined(separator: "\n")
    }

    private func nothing(of kind: ObjectStatus.Kind?, before moment: String?) -> String {
        let name = (kind.map { "\($0.words) " } ?? "") + name.shown
        let until = moment.map { " before \($0)" } ?? ""
        return isWhole
            ? "nothing has happened to \(name)\(until); of keys, latches and task groups no "
                + "history is kept here"
            : "nothing is known to have happened to \(name)\(until); \(whole)"
    }

    private var whole: String {
        isWhole
            ? "nothing that happened before is missing"
            : "the history is whole after version \(floor), \(floorTime.text)"
    }

    private var isWhole: Bool { floor == .zero }
}

extension ObjectHistory.State {
    fileprivate var json: JSON {
        .object([
            "kind": .string(kind.description), "holders": .array(holdings.map(\.json)),
            "holderCount": .count(holderCount),
        ])
    }

    fileprivate func lines(_ name: String, at moment: String) -> [String] {
        let title = "at \(moment) \(kind.words) \(name)".shown
        guard !holdings.isEmpty else {
            return ["\(title) \(kind == .leaderSlot ? "was led" : "was held") by nobody"]
        }
        var lines = ["\(title) \(kind == .leaderSlot ? "was led" : "was held") by"]
        for holding in holdings {
            lines.append("  \(holding.details(kind)), since \(holding.since.text)")
        }
        if holderCount > holdings.count {
            lines.append("  and \(holderCount - holdings.count) more")
        }
        return lines
    }
}

extension ObjectHistory.Holder {
    fileprivate var members: [JSON.Member] {
        [
            JSON.Member(name: "session", value: .optional(session) { .unsigned($0.number) }),
            JSON.Member(name: "host", value: .optional(host, \.json)),
            JSON.Member(name: "pid", value: .optional(pid) { .unsigned(UInt64($0)) }),
            JSON.Member(name: "uid", value: .unsigned(UInt64(uid))),
            JSON.Member(name: "label", value: .string(label)),
        ]
    }

    fileprivate var json: JSON { .object(members) }

    fileprivate var text: String {
        guard let session, let host, let pid else { return "\(label) (uid \(uid))".shown }
        let label = label.isEmpty ? "" : ", \(label)"
        return "session \(session) (node \(host), pid \(pid), uid \(uid)\(label))".shown
    }
}

extension ObjectHistory.Holding {
    fileprivate var members: [JSON.Member] {
        var members = holder.members
        members += [
            JSON.Member(name: "token", value: .unsigned(token.number)),
            JSON.Member(name: "since", value: .string(since.text)),
            JSON.Member(name: "mode", value: .string(mode.text)),
            JSON.Member(name: "place", value: .count(place)),
        ]
        if let permits = mode.permitCount {
            members.append(JSON.Member(name: "permits", value: .unsigned(UInt64(permits))))
        }
        return members
    }

    fileprivate var json: JSON { .object(members) }

    fileprivate func details(_ kind: ObjectStatus.Kind) -> String {
        let token = "\(kind == .leaderSlot ? "term" : "token") \(token)"
        switch mode {
        case .exclusive where kind == .leaderSlot && place > 0:
            return "\(holder.text), place \(place), \(token)"
        case .exclusive: return "\(holder.text), \(token)"
        case .shared: return "\(holder.text), shared, \(token)"
        case .permits(let count, _):
            return "\(holder.text), \(count) permit\(count == 1 ? "" : "s"), \(token)"
        }
    }
}

extension ObjectHistory.Event {
    fileprivate var json: JSON {
        var members = [
            JSON.Member(name: "version", value: .unsigned(version.number)),
            JSON.Member(name: "time", value: .string(time.text)),
            JSON.Member(name: "epoch", value: .unsigned(epoch.number)),
            JSON.Member(name: "kind", value: .string(kind.description)),
            JSON.Member(name: "what", value: .string(what.description)),
            JSON.Member(name: "reason", value: .optional(reason) { .string($0.description) }),
        ]
        if let holding { members.append(JSON.Member(name: "holding", value: holding.json)) }
        if let breaker { members.append(JSON.Member(name: "breaker", value: breaker.json)) }
        if let limiter { members.append(JSON.Member(name: "limiter", value: limiter.json)) }
        if let limit, let limitBefore {
            members += [
                JSON.Member(name: "limitBefore", value: .unsigned(UInt64(limitBefore))),
                JSON.Member(name: "limit", value: .unsigned(UInt64(limit))),
            ]
        }
        if let closedFor {
            members.append(
                JSON.Member(
                    name: "closedForMilliseconds", value: .integer(closedFor.milliseconds)))
        }
        if kind == .barrier {
            members += [
                JSON.Member(name: "generation", value: .unsigned(generation)),
                JSON.Member(name: "parties", value: .count(partyCount)),
                JSON.Member(name: "arrived", value: .count(arrivedCount)),
            ]
        }
        return .object(members)
    }

    /// One line.
    fileprivate var text: String {
        "\(time.text)  version \(version)  view \(epoch)  \(kind.words) \(sentence)"
    }

    private var sentence: String {
        guard let holding else { return kind == .barrier ? barrierSentence : lockSentence }
        let who = holding.details(kind)
        switch what {
        case .granted: return kind == .leaderSlot ? "led by \(who)" : "granted to \(who)"
        case .upgraded: return "had alone from here on by \(who)"
        case .downgraded: return "shared from here on by \(who)"
        default: return "\(ending) \(who); since \(holding.since.text)"
        }
    }

    private var lockSentence: String {
        if let limit, let limitBefore, let limiter {
            return "limited to \(limit) permits instead of \(limitBefore) by \(limiter.text)"
        }
        guard let closedFor else { return "open again" }
        return "closed for \(closedFor.text), since a holder was lost"
    }

    private var barrierSentence: String {
        guard what == .broken else {
            return "tripped: generation \(generation), \(partyCount) "
                + (partyCount == 1 ? "party" : "parties")
        }
        let who = breaker.map { " by \($0.text)" } ?? ""
        return "broken\(who), \(why): generation \(generation), \(arrivedCount) of \(partyCount) "
            + "had arrived"
    }

    /// Before who it was.
    private var ending: String {
        switch reason {
        case .released?: kind == .leaderSlot ? "resigned by" : "released by"
        case .handedOver?: "handed over by"
        case .transferred?: "given to somebody else by"
        default: "lost, since \(why), by"
        }
    }

    private var why: String {
        switch reason {
        case .goodbye?: "its session said goodbye"
        case .died?: "its process died"
        case .expired?: kind == .lease ? "its time ran out" : "its session's time ran out"
        case .hostLost?: "its host was lost"
        case .forced?: "an administrator ended its session"
        case .givenUp?: "the history that granted it was given up"
        case .partyEnded?: "whose session ended"
        case .timedOut?: "who waited as long as it would"
        case .cancelled?: "who gave up"
        case .disagreement?: "who named other numbers"
        default: reason?.description ?? "it ended"
        }
    }
}
