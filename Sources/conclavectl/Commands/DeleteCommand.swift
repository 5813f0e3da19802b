import ArgumentParser
import Conclave

struct DeleteCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete",
        abstract: "Delete a key of the configuration.",
        discussion: """
              conclave delete db/primary
              conclave delete db/primary --if-version 281474976710660

            Exit codes: 0, it is not there any more; 1 the key is not as demanded; 64 wrong usage; \
            69 no daemon, or outside the majority; 75 nobody knows whether it was deleted; 77 not \
            permitted.
            """)

    @Argument(help: "The key.")
    var key: NameArgument

    @Option(
        help: ArgumentHelp(
            "Only if the key was put last at this version.", valueName: "version"))
    var ifVersion: VersionArgument?

    @Option(
        help: ArgumentHelp(
            "Wait at most this long (250ms, 30s, 5m); by default for ever.",
            valueName: "duration"))
    var wait: DurationArgument?

    @OptionGroup var common: CommonOptions

    func run() throws {
        let (key, wait, json) = (key.text, wait, common.json)
        let compares = compares(key, ifVersion: ifVersion)
        try ask(common, see: "get \(key)") { conclave in
            let result = try await conclave.configuration.transaction(
                [.delete(key)], if: compares, wait: wait?.duration)
            if json {
                Output.standard(result.json.description)
            } else {
                Output.standard(
                    result.changedCount > 0
                        ? "deleted at version \(result.version)" : "was not there")
            }
            await conclave.close()
        }
    }
}
