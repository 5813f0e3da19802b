import ArgumentParser
import Conclave

/// What `release`, `resign` and `handover` have in common.
struct RevokingOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "How long the holder is given (10s, 5m).", valueName: "duration"))
    var within = DurationArgument(duration: .seconds(30))

    @Flag(help: "End the holder's session if it has not let go by then.")
    var force = false

    @OptionGroup var common: CommonOptions

    static let exitCodes = """
        Only root and the user that conclaved runs as may do this.

        Exit codes: 0, it is let go of; 1 nobody has it, or it is not let go of in time; 64 wrong \
        usage; 69 no daemon, or outside the majority; 75 nobody knows yet, look, then ask again; \
        77 not permitted.
        """

    /// `heir`: the standby that a leader is to hand over to.
    func revoke(_ kind: ObjectStatus.Kind, _ name: NameArgument, heir: SessionID? = nil) throws {
        let revoking = Revoking(
            kind: kind, name: name.text, heir: heir, within: within.duration, isForceful: force,
            json: common.json)
        try ask(common, see: "why \(name.text)") { try await revoking.run($0) }
    }
}
