import Conclave

extension SessionStatus {
    var json: JSON {
        .object([
            "session": .unsigned(session.number), "host": host.json,
            "pid": .unsigned(UInt64(pid)), "uid": .unsigned(UInt64(uid)), "unit": .string(unit),
            "label": .string(label), "ttlMilliseconds": .integer(ttl.milliseconds),
            "isAway": .bool(isAway), "isForced": .bool(isForced),
            "held": .count(heldCount), "waiting": .count(waitingCount), "keys": .count(keyCount),
            "remainingMilliseconds": .optional(remaining) { .integer($0.milliseconds) },
        ])
    }

    fileprivate var state: String {
        if isForced { return "ended by force" }
        return isAway ? "host is away" : remaining?.text ?? ""
    }
}

extension [SessionStatus] {
    var table: String {
        var table = Table(
            "SESSION", "NODE", "PID", "UID", "HELD", "WAITS", "KEYS", "TTL", "VALID", "LABEL")
        for session in self {
            table.add(
                "\(session.session)", "\(session.host)", "\(session.pid)", "\(session.uid)",
                "\(session.heldCount)", "\(session.waitingCount)", "\(session.keyCount)",
                session.ttl.text, session.state, session.label)
        }
        return table.text
    }
}
