import Conclave

extension Timestamp {
    var text: String { iso8601 }
}

extension Duration {
    var milliseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds * 1_000 + attoseconds / 1_000_000_000_000_000
    }

    /// To three digits or so: `350 ms`, `4.2 s`, `2 min`.
    var text: String {
        let milliseconds = milliseconds
        if milliseconds < 1_000 { return "\(milliseconds) ms" }
        if milliseconds < 10_000 { return "\(milliseconds / 1_000).\(milliseconds / 100 % 10) s" }
        if milliseconds < 120_000 { return "\(milliseconds / 1_000) s" }
        return "\(milliseconds / 60_000) min"
    }
}
