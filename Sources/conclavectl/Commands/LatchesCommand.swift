import ArgumentParser
import Conclave

struct LatchesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "latches",
        abstract: "List latches, and what remains of each.",
        discussion: """
            With --json one object a line. A latch is kept until it is removed:

              conclave latches started/
              conclave latch started/42 --remove

            Exit codes: 0; 64 wrong usage; 69 no daemon, or outside the majority; 77 not permitted.
            """)

    @Argument(help: "Only names that begin so.")
    var prefix = ""

    @Flag(help: "From the own copy of this host's daemon, which may be behind.")
    var local = false

    @OptionGroup var common: CommonOptions

    func run() throws {
        let (prefix, local) = (prefix, local)
        try list(common, local: local, json: { $0.json }, table: { $0.table }) { conclave in
            try await conclave.latches(prefix: prefix, local: local)
        }
    }
}
