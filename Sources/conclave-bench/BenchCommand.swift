import ArgumentParser

struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "conclave-bench",
        abstract:
            "Measures a group of daemons as a program sees it, and compares what was measured.",
        discussion: """
            Without a subcommand it measures: 'conclave-bench help measure' lists what.

              conclave-bench --cluster 3 lock.solo lock.parallel --json >>figures.jsonl
              conclave-bench compare figures.jsonl

            Exit codes: 0; 1 a measure failed; 64 wrong usage; 65 a line is no figure; 66 a file \
            cannot be read; 69 no daemon, or no program to start one; 130 interrupted.
            """,
        subcommands: [
            MeasureCommand.self, CompareCommand.self, CandidateCommand.self, PartyCommand.self,
            MemberCommand.self,
        ],
        defaultSubcommand: MeasureCommand.self)
}
