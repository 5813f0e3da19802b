import Glibc

/// The time of day for log lines, UTC, to the millisecond.
enum WallClock {
    static func text() -> String {
        var now = timespec()
        _ = unsafe clock_gettime(CLOCK_REALTIME, &now)
        var parts = unsafe tm()
        _ = unsafe gmtime_r(&now.tv_sec, &parts)
        let date = unsafe [parts.tm_year + 1_900, parts.tm_mon + 1, parts.tm_mday]
        let time = unsafe [parts.tm_hour, parts.tm_min, parts.tm_sec]
        let milliseconds = "\(now.tv_nsec / 1_000_000 + 1_000)".dropFirst()
        return date.map(two).joined(separator: "-") + "T" + time.map(two).joined(separator: ":")
            + ".\(milliseconds)Z"
    }

    private static func two(_ number: Int32) -> String {
        number < 10 ? "0\(number)" : "\(number)"
    }
}
