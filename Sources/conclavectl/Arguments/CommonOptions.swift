import ArgumentParser
import Conclave

/// What every command takes.
struct CommonOptions: ParsableArguments {
    @Flag(help: "Print JSON: one object, or one object a line.")
    var json = false

    @Option(
        help: ArgumentHelp(
            "Where the daemon listens; by default where it usually does.", valueName: "path"))
    var socket: String?

    func validate() throws {
        if let socket, socket.isEmpty { throw ValidationError("--socket names no path") }
    }

    func connect(ttl: DurationArgument? = nil, label: String = "") async throws -> Conclave {
        try await Conclave.connect(
            socket: socket, ttl: ttl?.duration, label: label.prefix(utf8Count: 255))
    }

    func tellWhyItWaits() {
        conclavectl.tellWhyItWaits(socket: socket, json: json)
    }
}

/// How to hold: `lock` and `elect` share it.
struct HoldOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Wait at most this long (250ms, 30s, 5m); by default for ever.",
            valueName: "duration"))
    var wait: DurationArgument?

    @Option(
        help: ArgumentHelp(
            "How long it stays held when the daemon or this host goes silent (default: 5s, or what "
                + "the group allows that is nearest).",
            valueName: "duration"))
    var ttl: DurationArgument?

    @Option(
        help: ArgumentHelp(
            "What the command gets a second before it is lost (a quarter of a short ttl).",
            valueName: "action"))
    var onLoss = LossAction.signal

    @Option(
        help: ArgumentHelp(
            "Who waits with a higher priority comes first, whenever it came.",
            valueName: "number"))
    var priority: Int32 = 0

    func validate() throws {
        if let ttl, ttl.duration == .zero { throw ValidationError("--ttl must be positive") }
    }
}

extension String {
    /// The longest beginning that has at most `utf8Count` bytes.
    func prefix(utf8Count: Int) -> String {
        var result = Substring(self)
        while result.utf8.count > utf8Count { result = result.dropLast() }
        return String(result)
    }
}
