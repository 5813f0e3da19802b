import ArgumentParser
import Conclave

struct TimingCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "timing",
        abstract: "Show how long it takes at most until a lost holder's lock goes on.",
        discussion: """
            Computed from the settings of this host's daemon and of its group as they are now; \
            nothing is measured. A lock, or a leader's place, goes to the next one:

            process  when the holder's process ends: as soon as that is ordered.
            daemon   when the daemon of its host ends and does not come back: after the ttl.
            host     when its host loses power or is cut off, or its daemon is stopped: after the \
            suspicion time, and the ttl.
            stall    when the disk of its daemon hangs: after the stall time, and the ttl.

            One suspicion time more is reckoned for the others to agree. It takes longer if further \
            members fail meanwhile, and without a majority nothing is granted at all. The ttl \
            counts longer by 1 %: clocks differ.

              conclave timing --ttl 10s
              conclave timing --assert-max 15s || echo "a takeover may take longer than that"

            Exit codes: 0; 1 the longest of them is longer than --assert-max; 64 wrong usage, or a \
            ttl that the group does not allow; 69 no daemon; 77 not permitted.
            """)

    @Option(
        help: ArgumentHelp(
            "Of holders whose session has this ttl (default: that of a session without one).",
            valueName: "duration"))
    var ttl: DurationArgument?

    @Option(
        help: ArgumentHelp(
            "Fail if a holder that is lost may be in the way for longer than that.",
            valueName: "duration"))
    var assertMax: DurationArgument?

    @OptionGroup var common: CommonOptions

    func run() throws {
        let (ttl, longest, json) = (ttl?.duration, assertMax?.duration, common.json)
        try ask(common) { conclave in
            let timing = try await conclave.status().timing
            if let ttl { try timing.check(ttl: ttl, json: json) }
            Output.standard(json ? timing.json(ttl: ttl).description : timing.text(ttl: ttl))
            guard let longest, timing.worst(ttl: ttl) > longest else { return }
            Failure.tell(
                "a takeover may take \(timing.worst(ttl: ttl).exact), not \(longest.exact)",
                code: "tooLong", json: json)
            throw ExitStatus(ExitStatus.notObtained)
        }
    }
}
