import ArgumentParser
import Conclave

struct BackupCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup",
        abstract: "Save the keys of the configuration in a file.",
        discussion: """
            All as they were at one version, without ephemeral ones, which go with their sessions. \
            What else the group knows (locks, leaders, leases, barriers, latches, task groups) \
            belongs to programs that run, and is not in the file. It is written whole or not at \
            all, with the mode 0600, and has a checksum; what is there already must be a file, or a \
            link to one. 'conclave restore' puts the keys back, into this \
            group or a new one.

              conclave backup /var/backups/conclave.keys
              conclave backup before.keys --prefix db/ --at 03:12
              conclave backup - | ssh elsewhere 'cat > conclave.keys'

            Exit codes: 0; 1 the history does not reach back so far; 64 wrong usage; 69 no daemon, \
            or outside the majority; 74 the file cannot be written; 77 not permitted.
            """)

    @Argument(help: "Where to; '-' is the standard output.")
    var file: String

    @Option(help: ArgumentHelp("Only keys that begin so.", valueName: "prefix"))
    var prefix = ""

    @Option(
        help: ArgumentHelp(
            "As they were at a version or a time (2026-03-01T03:12:00Z).", valueName: "moment"))
    var at: MomentArgument?

    @OptionGroup var common: CommonOptions

    func validate() throws {
        if file == "-", common.json {
            throw ValidationError(
                "'-' and --json exclude each other: both are for the standard output")
        }
    }

    func run() throws {
        let (file, prefix, moment) = (file, prefix, at?.moment ?? .now)
        let json = common.json
        try ask(common) { conclave in
            let backup = try await conclave.configuration.backup(prefix: prefix, at: moment)
            if file == "-" { return Output.standard(bytes: backup.encoded()) }
            do {
                try WholeFile.write(backup.encoded(), to: file)
            } catch {
                Failure.tell("\(error)", code: "file", json: json)
                throw ExitStatus(ExitStatus.notPrinted)
            }
            Output.standard(json ? backup.json.description : backup.text)
        }
    }
}
