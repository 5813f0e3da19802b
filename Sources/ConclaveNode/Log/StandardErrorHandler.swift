package import Logging

/// Writes one line an event, `<6>sentence key=value`, with the priorities that journald reads.
package struct StandardErrorHandler: LogHandler {
    package var logLevel: Logger.Level
    package var metadata: Logger.Metadata = [:]
    package var metadataProvider: Logger.MetadataProvider?
    private let queue: LogQueue
    /// Whether the time stands in front of each line; journald notes it by itself.
    private let hasTime: Bool

    package init(queue: LogQueue, level: Logger.Level, hasTime: Bool) {
        self.queue = queue
        logLevel = level
        self.hasTime = hasTime
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        var line = "<\(Self.priority(event.level))>"
        if hasTime { line += WallClock.text() + " " }
        line += Self.printable("\(event.message)")
        let all = metadata.merging(event.metadata ?? [:]) { $1 }
        for (key, value) in all.sorted(by: { $0.key < $1.key }) {
            line += " \(key)=\(Self.quoted("\(value)"))"
        }
        line += "\n"
        queue.append(Array(line.utf8))
    }

    private static func priority(_ level: Logger.Level) -> Int {
        switch level {
        case .critical: 2
        case .error: 3
        case .warning: 4
        case .notice: 5
        case .info: 6
        case .debug, .trace: 7
        }
    }

    private static func quoted(_ value: String) -> String {
        let isPlain = value.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7F && $0 != UInt8(ascii: "\"") }
        return isPlain && !value.isEmpty
            ? value : "\"\(printable(value).replacing("\"", with: "\\\""))\""
    }

    /// One line stays one line, whatever a client called itself.
    private static func printable(_ text: String) -> String {
        guard text.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) else { return text }
        return String(
            decoding: text.utf8.map { $0 < 0x20 || $0 == 0x7F ? UInt8(ascii: "?") : $0 },
            as: UTF8.self)
    }
}
