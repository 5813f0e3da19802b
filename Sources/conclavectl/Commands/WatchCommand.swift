import ArgumentParser
import Conclave

struct WatchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch",
        abstract: "Follow a key of the configuration, or all that begin alike.",
        discussion: """
            Prints the present state, then every change in order, until it is interrupted. It goes \
            on when the daemon restarts. 'resync' says that changes may be missing, and the state \
            follows; 'doubtful' that there may be changes that nobody tells for now, since no \
            daemon is there or it is outside the majority; 'assured' that this is over. A daemon \
            that hangs tells nothing until its watchdog has ended it. The changes of a transaction have one version and are printed together. With --from only \
            what changed after that version is told: give the one that was printed last, or with \
            --json the last 'resumeFrom'.

              conclave watch db/primary
              conclave watch db/ --prefix --from 281474976710660
              conclave watch db/ --prefix --json
              {"event":"state","resync":false,"version":…,"keys":[{"key":"db/primary",…}]}
              {"event":"put","key":"db/primary","value":"10.0.0.5",…,"resumeFrom":…}
              {"event":"deleted","key":"db/primary","version":…,"time":"…","resumeFrom":…}

            Exit codes: 64 wrong usage; 69 no daemon when it begins; 77 not permitted; 130 interrupted.
            """)

    @Argument(help: "The key, or with --prefix how they begin.")
    var key: String

    @Flag(help: "All keys that begin so.")
    var prefix = false

    @Option(
        help: ArgumentHelp("Begin with what changed after this version.", valueName: "version"))
    var from: VersionArgument?

    @OptionGroup var common: CommonOptions

    func validate() throws {
        if !prefix, NameArgument(argument: key) == nil {
            throw ValidationError("'\(key)' is not the name of a key")
        }
    }

    func run() throws {
        let (key, isPrefix, from, json) = (key, prefix, from?.version, common.json)
        try ask(common, follows: true) { conclave in
            let configuration = conclave.configuration
            let updates =
                isPrefix
                ? configuration.watch(prefix: key, from: from)
                : configuration.watch(key, from: from)
            // The changes of a version are written together: what is seen of it is all of it.
            var lines: [String] = []
            for try await update in updates {
                lines.append(json ? update.json.description : update.text)
                if let version = update.change?.version, let whole = update.version,
                    whole < version
                {
                    continue
                }
                Output.standard(lines.joined(separator: "\n"))
                lines = []
            }
        }
    }
}
