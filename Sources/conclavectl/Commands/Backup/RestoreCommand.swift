import ArgumentParser
import Conclave

struct RestoreCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore",
        abstract: "Put keys of the configuration back from a backup.",
        discussion: """
            Keys that are missing are put. If some are there with other values nothing is changed, \
            unless --overwrite is given. Keys that are not in the backup stay; with --delete-others \
            those are deleted that are not ephemeral and begin with the prefix of the backup. \
            --dry-run prints what would be done: + a key is put, ~ it gets another value, - it is \
            deleted; nothing, if all is as in the backup. It ends as the restoring would.

            It is done in steps of some keys each, and none overwrites what somebody changes \
            meanwhile. If one fails the earlier ones stay: the same command does the rest.

              conclave restore conclave.keys --dry-run
              conclave restore conclave.keys
              conclave restore before.keys --overwrite --delete-others

            A group that has lost all of its disks is founded anew: start its daemons with empty \
            data directories, then restore. Versions and fencing tokens are above those of the \
            backup, else this command refuses.

            Exit codes: 0; 1 keys are there with other values, or too much; 64 wrong usage, or the \
            file is damaged; 69 no daemon, or outside the majority; 74 the file cannot be read; 75 \
            nobody knows whether the last step was done: restore again; 77 not permitted.
            """)

    @Argument(help: "The backup; '-' is the standard input.")
    var file: String

    @Flag(help: "Keys that are there with other values get those of the backup.")
    var overwrite = false

    @Flag(help: "Keys that are not in the backup are deleted.")
    var deleteOthers = false

    @Flag(help: "Change nothing, and print what would be changed.")
    var dryRun = false

    @Option(
        help: ArgumentHelp(
            "Wait at most this long for each step (250ms, 30s, 5m); by default for ever.",
            valueName: "duration"))
    var wait: DurationArgument?

    @OptionGroup var common: CommonOptions

    func run() throws {
        let bytes = try contents()
        let (overwrite, deleteOthers, dryRun) = (overwrite, deleteOthers, dryRun)
        let (wait, json) = (wait, common.json)
        try ask(common) { conclave in
            let backup = try ConfigurationBackup(decoding: bytes)
            let configuration = conclave.configuration
            let difference = try await configuration.compare(backup)
            if dryRun {
                for change in difference.changes(deletingOthers: deleteOthers) {
                    Output.standard(json ? change.json.description : change.text)
                }
            }
            if let first = difference.changed.first, !overwrite {
                Failure.tell(difference.refusal(first), code: "conflict", json: json)
                throw ExitStatus(ExitStatus.notObtained)
            }
            if dryRun { return }
            let count = try await configuration.restore(
                difference, overwriting: overwrite, deletingOthers: deleteOthers,
                wait: wait?.duration)
            Output.standard(
                json
                    ? difference.json(changed: count).description
                    : difference.text(changed: count))
            await conclave.close()
        }
    }

    private func contents() throws -> [UInt8] {
        do {
            return try WholeFile.read(file)
        } catch {
            Failure.tell("\(error)", code: "file", json: common.json)
            throw ExitStatus(ExitStatus.notPrinted)
        }
    }
}
