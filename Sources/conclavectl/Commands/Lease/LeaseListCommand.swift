import ArgumentParser
import Conclave

struct LeaseListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List leases, who has them and for how long.",
        discussion: """
            With --json one object a line.

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
            try await conclave.leases.list(prefix: prefix, local: local)
        }
    }
}
