/// Everything that happened, in lines for people.
package struct Trace {
    /// Lines are made only if somebody wants them.
    package var wantsLines = false
    package private(set) var lines: [String] = []

    package init() {}

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
