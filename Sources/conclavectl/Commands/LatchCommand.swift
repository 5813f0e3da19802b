import ArgumentParser
import Conclave

struct LatchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "latch",
        abstract: "Count a latch down, wait until it is open, or show what remains.",
        discussion: """
            A latch opens once it was counted down as often as --count says, and stays open until it \
            is removed: whoever waits goes on then, and whoever comes later does not wait. A \
            count-down stays done when its program has ended. All name the same count.

              conclave latch started/42 --count 3 --down
              conclave latch started/42 --count 3 --wait --timeout 5m && ./next-step
              conclave latch started/42
              conclave latch started/42 --remove

            --down prints what remains. Without --down, --wait and --remove it is shown, and the \
            exit code says whether it is open.

            Exit codes: 0 counted, open or removed; 1 not open (in time), removed meanwhile, or not \
            there to be removed; 64 wrong usage, or another count; 69 no daemon, or outside the \
            majority; 75 nobody knows whether it was counted, or the daemon went away while waiting; \
            77 not permitted, or the latch is another user's; 130 interrupted.
            """)

    @Argument(help: "The latch: up to 255 bytes, '/' separates levels.")
    var name: NameArgument

    @Option(help: ArgumentHelp("How often it must be counted down.", valueName: "count"))
    var count: Int?

    @Flag(help: "Count it down once.")
    var down = false

    @Flag(help: "Wait until it is open.")
    var wait = false

    @Flag(help: "Forget it, open or not; who waits is refused.")
    var remove = false

    @Option(
        help: ArgumentHelp(
            "With --wait: at most this long (250ms, 30s, 5m); by default for ever.",
            valueName: "duration"))
    var timeout: DurationArgument?

    @Flag(help: "Show it from the own copy of this host's daemon, which may be behind.")
    var local = false

    @OptionGroup var common: CommonOptions

    func validate() throws {
        let actions = [down, wait, remove].count { $0 }
        if actions > 1 { throw ValidationError("only one of --down, --wait and --remove") }
        if let count, UInt32(exactly: count).map({ $0 == 0 }) ?? true {
            throw ValidationError("--count must be 1 to \(UInt32.max)")
        }
        if down || wait, count == nil { throw ValidationError("--count is not given") }
        if timeout != nil, !wait { throw ValidationError("--timeout needs --wait") }
        if timeout?.duration == .zero { throw ValidationError("--timeout must be positive") }
        if local, actions > 0 { throw ValidationError("--local is for showing it") }
    }

    func run() throws {
        let command = self
        guard !wait else {
            try waitInterruptibly(common) {
                await exitStatus(
                    telling: command.common.json, see: "latch \(command.name.text)"
                ) {
                    try await command.act(try await command.common.connect())
                }
            }
        }
        try ask(common, local: local, see: "latches") { try await command.act($0) }
    }

    private func act(_ conclave: Conclave) async throws {
        if remove {
            try await conclave.removeLatch(name.text)
            let report: JSON = .object(["name": .string(name.text), "removed": .bool(true)])
            tell("latch \(name.text.shown) is removed", report)
        } else if let count, down || wait {
            let latch = conclave.latch(name.text, count: count)
            if wait { try await latch.wait(timeout: timeout?.duration) }
            let remaining = wait ? 0 : try await latch.countDown()
            let report: JSON = .object([
                "name": .string(name.text), "count": .count(count), "remaining": .count(remaining),
            ])
            tell(wait ? "latch \(name.text.shown) is open" : "\(remaining)", report)
        } else {
            return try await show(conclave)
        }
        await conclave.close()
    }

    private func tell(_ text: String, _ report: JSON) {
        Output.standard(common.json ? report.description : text)
    }

    private func show(_ conclave: Conclave) async throws {
        let status = try await conclave.latch(named: name.text, local: local)
        if let status, let count, status.count != count {
            throw ConclaveError(
                .invalid, "latch \(name.text) has a count of \(status.count), not of \(count)")
        }
        if common.json {
            Output.standard((status?.json ?? .null).description)
        } else {
            let none = "nobody has counted down latch \(name.text.shown), or waits for it"
            Output.standard(status?.text ?? none)
        }
        guard status?.isOpen == true else { throw ExitStatus(ExitStatus.notObtained) }
    }
}
