import Conclave

extension Lease {
    var json: JSON {
        .object([
            "name": .string(name), "holder": .string(holder), "token": .unsigned(token.number),
            "ttlMilliseconds": .integer(ttl.milliseconds),
            "validForMilliseconds": .integer(validFor.milliseconds),
        ])
    }

    var sentence: String {
        "lease \(name.shown) of \(holder.shown), token \(token), is valid for \(validFor.text)"
    }

    private var validFor: Duration { max(deadline - ContinuousClock.now, .zero) }
}

extension LeaseStatus {
    var json: JSON {
        .object([
            "name": .string(name), "holder": .string(holder), "token": .unsigned(token.number),
            "uid": .unsigned(UInt64(uid)), "since": .string(since.text),
            "renewed": .string(renewed.text), "ttlMilliseconds": .integer(ttl.milliseconds),
            "remainingMilliseconds": .optional(remaining) { .integer($0.milliseconds) },
        ])
    }

    var text: String {
        let who = "  held by \(holder.shown) (uid \(uid)), token \(token), since \(since.text)"
        let left = remaining.map { "; \($0.text) are left" } ?? ""
        return "lease \(name.shown)\n\(who), renewed \(renewed.text), for \(ttl.text)\(left)"
    }
}

extension [LeaseStatus] {
    var table: String {
        var table = Table("NAME", "HOLDER", "TOKEN", "SINCE", "RENEWED", "FOR", "LEFT")
        for lease in self {
            table.add(
                lease.name, lease.holder, "\(lease.token)", lease.since.text, lease.renewed.text,
                lease.ttl.text, lease.remaining?.text ?? "")
        }
        return table.text
    }
}
