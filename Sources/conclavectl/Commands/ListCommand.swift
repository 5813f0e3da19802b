import ArgumentParser
import Conclave

struct ListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List keys of the configuration.",
        discussion: """
            All as they were at one version, by name; with --json one object a key, and with \
            --names-only one name a line, and nothing else.

              conclave list db/
              conclave list --names-only

            Exit codes: 0 also if there is none; 1 the history does not reach back so far; 64 \
            wrong usage; 69 no daemon, or outside the majority; 77 not permitted.
            """)

    @Argument(help: "Only keys that begin so.")
    var prefix = ""

    @Option(
        help: ArgumentHelp(
            "As they were at a version or a time (2026-03-01T03:12:00Z).", valueName: "moment"))
    var at: MomentArgument?

    @Flag(help: "Names alone, one a line; with --json without values.")
    var namesOnly = false

    @Flag(help: "From the own copy of this host's daemon, which may be behind.")
    var local = false

    @OptionGroup var common: CommonOptions

    func run() throws {
        let (prefix, moment, namesOnly, local) = (prefix, at?.moment ?? .now, namesOnly, local)
        let json = common.json
        try ask(common, local: local) { conclave in
            let listing = try await conclave.configuration.list(
                prefix: prefix, at: moment, local: local, namesOnly: namesOnly)
            if json {
                for entry in listing.entries {
                    Output.standard(entry.json(withValue: !namesOnly).description)
                }
            } else if namesOnly {
                for entry in listing.entries { Output.standard(entry.key.shown) }
            } else {
                Output.standard(listing.table)
            }
        }
    }
}
