import Conclave

extension GroupTiming {
    /// The longest time for which a lost holder may be in the way.
    func worst(ttl: Duration?) -> Duration {
        bounds(ttl: ttl).map(\.granted).max() ?? .zero
    }

    func check(ttl: Duration, json: Bool = false) throws {
        guard ttl < minimumTTL || ttl > maximumTTL else { return }
        Failure.tell(
            "ttl \(ttl.exact) is not between \(minimumTTL.exact) and \(maximumTTL.exact), which this "
                + "group allows", code: "invalid", json: json)
        throw ExitStatus(ExitStatus.usage)
    }

    func text(ttl: Duration?) -> String {
        var table = Table("LOSS", "NOTICED WITHIN", "NEXT HOLDER WITHIN")
        for bound in bounds(ttl: ttl) {
            let isAtOnce = bound.granted == .zero
            table.add(
                bound.loss.rawValue, bound.noticed == .zero ? "at once" : bound.noticed.exact,
                isAtOnce ? "at once" : bound.granted.exact)
        }
        return """
            heartbeat \(heartbeat.exact), suspicion \(suspicion.exact), stall \(stall.exact), \
            ttl \(self.ttl(ttl).exact) (\(minimumTTL.exact) to \(maximumTTL.exact))

            \(table.text)

            after a loss of state nothing is granted for \(quietAfterLoss.exact)
            """
    }

    func json(ttl: Duration?) -> JSON {
        .object([
            "heartbeatMilliseconds": .milliseconds(heartbeat),
            "suspicionMilliseconds": .milliseconds(suspicion),
            "stallMilliseconds": .milliseconds(stall),
            "ttlMilliseconds": .milliseconds(self.ttl(ttl)),
            "shortestTtlMilliseconds": .milliseconds(minimumTTL),
            "longestTtlMilliseconds": .milliseconds(maximumTTL),
            "bounds": .array(bounds(ttl: ttl).map(\.json)),
            "worstMilliseconds": .milliseconds(worst(ttl: ttl)),
            "quietAfterLossMilliseconds": .milliseconds(quietAfterLoss),
        ])
    }
}

extension GroupTiming.Bound {
    fileprivate var json: JSON {
        .object([
            "loss": .string(loss.rawValue), "noticedMilliseconds": .milliseconds(noticed),
            "grantedMilliseconds": .milliseconds(granted),
        ])
    }
}

extension JSON {
    fileprivate static func milliseconds(_ duration: Duration) -> JSON {
        .integer(duration.milliseconds)
    }
}

extension Duration {
    /// To the millisecond: a bound is not cut down.
    var exact: String {
        let milliseconds = milliseconds
        guard milliseconds >= 1_000 else { return "\(milliseconds) ms" }
        let fraction = String(1_000 + milliseconds % 1_000).dropFirst()
        let digits = fraction.reversed().drop { $0 == "0" }.reversed()
        return "\(milliseconds / 1_000)" + (digits.isEmpty ? "" : "." + String(digits)) + " s"
    }
}
