import ArgumentParser
import Conclave

struct TransactionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "transaction",
        abstract: "Change several keys of the configuration at once, or none.",
        discussion: """
            Everything that --if-version, --if-absent and --if-present demand must be so; then all \
            keys are put and deleted at one version, which is printed.

              conclave transaction --if-absent db/new --put db/new=10.0.0.5 --delete db/old
              conclave transaction --if-version db/a=281474976710660 --put db/a=1 --put db/b=2

            Exit codes: 0; 1 a key is not as demanded, or too much; 64 wrong usage; 69 no daemon, \
            or outside the majority; 75 nobody knows whether it happened; 77 not permitted.
            """)

    @Option(
        help: ArgumentHelp(
            "The key was put last at that version.", valueName: "key=version"))
    var ifVersion: [String] = []

    @Option(help: ArgumentHelp("The key is not there.", valueName: "key"))
    var ifAbsent: [NameArgument] = []

    @Option(help: ArgumentHelp("The key is there.", valueName: "key"))
    var ifPresent: [NameArgument] = []

    @Option(help: ArgumentHelp("Set the key.", valueName: "key=value"))
    var put: [String] = []

    @Option(help: ArgumentHelp("Delete the key, if it is there.", valueName: "key"))
    var delete: [NameArgument] = []

    @Option(
        help: ArgumentHelp(
            "Wait at most this long (250ms, 30s, 5m); by default for ever.",
            valueName: "duration"))
    var wait: DurationArgument?

    @OptionGroup var common: CommonOptions

    func validate() throws {
        _ = try compares()
        _ = try changes()
    }

    func run() throws {
        let (compares, changes) = (try compares(), try changes())
        let (wait, json) = (wait, common.json)
        try ask(common) { conclave in
            let result = try await conclave.configuration.transaction(
                changes, if: compares, wait: wait?.duration)
            Output.standard(json ? result.json.description : "\(result.version)")
            await conclave.close()
        }
    }

    func compares() throws -> [ConfigurationCompare] {
        let versions = try ifVersion.map { text in
            let (key, value) = try Self.pair(text)
            guard let version = VersionArgument(argument: value)?.version else {
                throw ValidationError("'\(value)' is no version")
            }
            return ConfigurationCompare(key, is: .version(version))
        }
        return versions + ifAbsent.map { ConfigurationCompare($0.text, is: .absent) }
            + ifPresent.map { ConfigurationCompare($0.text, is: .present) }
    }

    func changes() throws -> [ConfigurationOperation] {
        let puts = try put.map { text in
            let (key, value) = try Self.pair(text)
            return ConfigurationOperation.put(key, value)
        }
        return puts + delete.map { .delete($0.text) }
    }

    /// A key ends at the first `=`.
    private static func pair(_ text: String) throws -> (key: String, value: String) {
        guard let equals = text.firstIndex(of: "=") else {
            throw ValidationError("'\(text)' is not of the form key=…")
        }
        let key = String(text[..<equals])
        guard NameArgument(argument: key) != nil else {
            throw ValidationError("'\(key)' is not the name of a key")
        }
        return (key, String(text[text.index(after: equals)...]))
    }
}
