import Conclave

extension LatchStatus {
    var json: JSON {
        .object([
            "name": .string(name), "count": .count(count), "remaining": .count(remaining),
            "uid": .unsigned(UInt64(uid)), "since": .string(since.text),
            "opened": .optional(opened) { .string($0.text) }, "waiters": .count(waiterCount),
        ])
    }

    var text: String {
        let state = opened.map { "open since \($0.text)" } ?? "\(remaining) of \(count) remain"
        let who = "  of uid \(uid), since \(since.text), awaited by \(waiterCount)"
        return "latch \(name.shown), \(state)\n\(who)"
    }
}

extension [LatchStatus] {
    var table: String {
        var table = Table("NAME", "COUNT", "REMAIN", "UID", "SINCE", "OPENED", "WAITING")
        for latch in self {
            table.add(
                latch.name, "\(latch.count)", "\(latch.remaining)", "\(latch.uid)",
                latch.since.text, latch.opened?.text ?? "", "\(latch.waiterCount)")
        }
        return table.text
    }
}
