import Conclave

/// The fields are those of the formats page: names in camelCase, times in milliseconds or ISO 8601,
/// versions, tokens and epochs as numbers.
extension GroupStatus {
    var json: JSON {
        .object([
            "node": .unsigned(UInt64(node.number)), "epoch": .unsigned(epoch.number),
            "rank": .optional(rank, JSON.count), "serving": .bool(isServing),
            "reason": .string(reason), "durability": .string(isDurable ? "disk" : "memory"),
            "members": .array(members.map(\.json)), "version": .unsigned(version.number),
            "ageMilliseconds": .optional(age, { .integer($0.milliseconds) }),
            "sessions": .count(sessionCount), "objects": .count(objectCount),
            "disturbances": .array(
                disturbances.map { $0.disturbance.json(for: $0.remaining) }),
        ])
    }
}

extension MemberStatus {
    var json: JSON {
        .object([
            "id": .unsigned(UInt64(node.number)), "address": .string(address),
            "state": .string(state.description), "rank": .optional(rank, JSON.count),
        ])
    }
}

extension RecoveryReport {
    var json: JSON {
        .object([
            "epoch": .unsigned(epoch.number), "era": .unsigned(UInt64(era)),
            "version": .unsigned(version.number), "applied": .count(appliedMessageCount),
            "members": .array(keptMembers.map(\.json)),
            "removed": .array(removedMembers.map(\.json)),
            "quietMilliseconds": .integer(quietFor.milliseconds),
            "stateWasLost": .bool(stateWasLost),
        ])
    }
}

extension ViewChange {
    var json: JSON {
        .object([
            "epoch": .unsigned(epoch.number), "at": .string(at.text),
            "members": .array(members.map(\.json)), "joined": .array(joined.map(\.json)),
            "departed": .array(departed.map(\.json)), "stateWasLost": .bool(stateWasLost),
            "historyWasGivenUp": .bool(historyWasGivenUp),
        ])
    }
}

extension ViewChange.Departed {
    var json: JSON {
        .object([
            "id": node.json, "reason": .string(String(describing: reason)), "by": by.json,
            "silentMilliseconds": .integer(silent.milliseconds),
        ])
    }
}

extension NodeID {
    var json: JSON { .unsigned(UInt64(number)) }
}

extension ObjectStatus {
    var json: JSON {
        .object([
            "kind": .string(kind.description), "name": .string(name),
            "mode": .optional(mode, { .string($0.text) }),
            "holders": .array(holders.map { .object($0.members) }),
            "waiters": .array(
                waiters.enumerated().map { position, waiter in
                    .object(
                        waiter.members + [
                            JSON.Member(name: "position", value: .count(position + 1))
                        ])
                }),
            "holderCount": .count(holderCount), "waiterCount": .count(waiterCount),
            "parties": .count(partyCount), "generation": .unsigned(generation),
            "value": .string(text),
            "limit": .optional(limit, { .unsigned(UInt64($0)) }),
            "closedForMilliseconds": .optional(closedFor, { .integer($0.milliseconds) }),
            "missing": .array(missing.map(\.json)),
            "remaining": .optional(remaining, JSON.count),
            "group": .optional(group, \.json),
        ])
    }

    /// How it is held, or how the first in the queue wants it.
    var mode: Lock.Mode? {
        kind == .lock ? (holders.first ?? waiters.first)?.mode : nil
    }
}

extension ObjectStatus.Group {
    fileprivate var json: JSON {
        .object([
            "name": .string(name), "view": .unsigned(view), "memberCount": .count(memberCount),
        ])
    }
}

extension Lock.Mode {
    var text: String {
        switch self {
        case .exclusive: "exclusive"
        case .shared: "shared"
        case .permits: "permits"
        }
    }
}

extension Lock.Mode {
    var permitCount: UInt32? {
        if case .permits(let count, _) = self { count } else { nil }
    }
}

extension Claim {
    var members: [JSON.Member] {
        let common: KeyValuePairs<String, JSON> = [
            "session": .unsigned(session.number), "host": host.json,
            "pid": .unsigned(UInt64(pid)), "uid": .unsigned(UInt64(uid)), "unit": .string(unit),
            "label": .string(label), "mode": .string(mode.text),
            "permits": .optional(mode.permitCount, { .unsigned(UInt64($0)) }),
            "isUpgrading": .bool(isUpgrading),
            "priority": .integer(Int64(priority)),
            "token": .optional(token, { .unsigned($0.number) }), "since": .string(since.text),
            "remainingMilliseconds": .optional(remaining, { .integer($0.milliseconds) }),
            "set": .optional(set) { set in
                .object([
                    "count": .count(set.count), "standing": .string(set.standing.description),
                    "waitsFor": .optional(set.next, JSON.string),
                ])
            },
        ]
        return common.map { JSON.Member(name: $0.key, value: $0.value) }
    }
}

extension Explanation {
    /// `name`: what was asked about.
    func json(_ name: String) -> JSON {
        .object([
            "name": .string(name), "objects": .array(objects.map(\.json)),
            "chain": .array(
                chain.map { edge in
                    .object([
                        "waiter": .unsigned(edge.waiter.number),
                        "kind": .string(edge.kind.description), "name": .string(edge.name),
                        "holder": .unsigned(edge.holder.number),
                        "isReserved": .bool(edge.isReserved),
                    ])
                }),
            "lease": .optional(lease, \.json), "group": .optional(group, \.json),
            "version": .unsigned(version.number),
        ])
    }
}

extension LeaderChange {
    var json: JSON {
        .object([
            "slot": .string(slot), "leader": .optional(leader, \.json),
            "places": .count(places), "leaders": .array(leaders.map(\.json)),
            "standbys": .count(standbyCount), "version": .unsigned(version.number),
            "doubt": .optional(doubt, JSON.string),
        ])
    }
}

extension LeaderChange.Leader {
    var json: JSON {
        .object([
            "session": .unsigned(session.number), "host": host.json,
            "pid": .unsigned(UInt64(pid)), "label": .string(label),
            "place": .count(place), "token": .unsigned(token.number), "value": .string(text),
            "since": .string(since.text),
        ])
    }
}

extension BarrierGeneration {
    var json: JSON {
        .object([
            "name": .string(name), "generation": .unsigned(number), "rank": .count(rank),
            "parties": .array(
                parties.map { party in
                    .object([
                        "rank": .count(party.rank), "host": party.host.json,
                        "pid": .unsigned(UInt64(party.pid)),
                        "arrivedAt": .string(party.arrivedAt.text), "payload": .string(party.text),
                    ])
                }),
            "view": .optional(viewNumber) { .unsigned($0) },
        ])
    }
}

extension BarrierReport {
    var json: JSON {
        .object([
            "name": .string(name), "generation": .unsigned(generation),
            "broken": .string(reason.description), "message": .string(message),
            "arrived": .count(arrivedCount), "parties": .count(partyCount),
            "missing": .array(missing.map(\.json)),
        ])
    }
}

extension BarrierReport.Absence {
    var json: JSON {
        .object([
            "rank": .count(rank), "host": .optional(host, \.json),
            "pid": .optional(pid, { .unsigned(UInt64($0)) }),
            "lastSeen": .optional(lastSeen, { .string($0.text) }), "ended": .bool(hasEnded),
        ])
    }
}

extension ConclaveError {
    var members: [JSON.Member] {
        var members = [
            JSON.Member(name: "error", value: .string(code.camelCase)),
            JSON.Member(name: "message", value: .string(message)),
        ]
        if let barrierReport {
            members.append(JSON.Member(name: "barrier", value: barrierReport.json))
        }
        if let conflict {
            members.append(JSON.Member(name: "conflict", value: conflict.json))
        }
        return members
    }
}

extension ConclaveError.Code {
    /// `timedOut` for "timed out".
    var camelCase: String {
        let words = description.split(separator: " ")
        return words.prefix(1).joined() + words.dropFirst().map(\.capitalizedFirst).joined()
    }
}

extension Substring {
    fileprivate var capitalizedFirst: String { prefix(1).uppercased() + dropFirst() }
}
