/// A number over everything that happened, so that two runs can be compared, and, on demand, lines
/// for people.
package struct Trace {
    package private(set) var digest: UInt64 = 0xCBF2_9CE4_8422_2325
    /// Lines are made only if somebody wants them.
    package var wantsLines = false
    package private(set) var lines: [String] = []

    package init() {}

    package mutating func mix(_ value: UInt64) {
        digest = (digest ^ value) &* 0x9E37_79B9_7F4A_7C15
        digest ^= digest >> 29
    }

    package mutating func line(at time: Moment, _ text: @autoclosure () -> String) {
        guard wantsLines else { return }
        let microseconds = String(time.nanoseconds / 1_000)
        let padding = String(repeating: " ", count: max(0, 12 - microseconds.utf8.count))
        lines.append("\(padding)\(microseconds) \(text())")
    }

    /// Hands over the lines made since the last call.
    package mutating func takeLines() -> [String] {
        defer { lines = [] }
        return lines
    }
}
