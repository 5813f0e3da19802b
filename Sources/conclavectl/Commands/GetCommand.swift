import ArgumentParser
import Conclave

struct GetCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "get",
        abstract: "Print the value of a key of the configuration.",
        discussion: """
            The answer holds everything that was acknowledged before the question. --local asks \
            this host's daemon for its own copy, also outside the majority, and says on the \
            standard error, and with --json, of which version that is, and how old it may be. The \
            value is printed as a line of \
            text; --raw prints its bytes, and --json has them as valueBase64 if they are no UTF-8.

              conclave get db/primary
              conclave get db/primary --at 2026-03-01T03:12:00Z
              conclave get db/key.der --raw > key.der
              conclave get db/primary --json
              {"key":"db/primary","value":"10.0.0.4","version":281474976710660,"created":…,
               "puts":2,"session":null,"time":"…","readAt":…,"ageMilliseconds":0}    (on one line)

            Exit codes: 0; 1 there is no such key, or the history does not reach back so far; \
            64 wrong usage; 69 no daemon, or outside the majority; 77 not permitted.
            """)

    @Argument(help: "The key.")
    var key: NameArgument

    @Option(
        help: ArgumentHelp(
            "As it was at a version or a time (2026-03-01T03:12:00Z).", valueName: "moment"))
    var at: MomentArgument?

    @Flag(help: "From the own copy of this host's daemon, which may be behind.")
    var local = false

    @Flag(help: "The bytes of the value as they are, and nothing behind them.")
    var raw = false

    @OptionGroup var common: CommonOptions

    func validate() throws {
        if raw, common.json { throw ValidationError("--raw and --json exclude each other") }
    }

    func run() throws {
        let (key, moment, local, json) = (key.text, at?.moment ?? .now, local, common.json)
        let raw = raw
        try ask(common, local: local) { conclave in
            let reading = try await conclave.configuration.read(key, at: moment, local: local)
            guard let entry = reading.entry else {
                Failure.tell(absence: key, reading, json: json)
                throw ExitStatus(ExitStatus.notObtained)
            }
            if raw { return Output.standard(bytes: entry.value) }
            Output.standard(json ? reading.json(entry).description : entry.text)
        }
    }
}
