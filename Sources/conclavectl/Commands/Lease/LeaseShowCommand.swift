import ArgumentParser
import Conclave

struct LeaseShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show who has a lease, and for how long.",
        discussion: """
            The answer holds everything that was acknowledged before the question; --local asks \
            this host's daemon for its own copy, also outside the majority.

            Exit codes: 0; 1 nobody has it; 64 wrong usage; 69 no daemon, or outside the majority; \
            77 not permitted.
            """)

    @Argument(help: "The lease.")
    var name: NameArgument

    @Flag(help: "From the own copy of this host's daemon, which may be behind.")
    var local = false

    @OptionGroup var common: CommonOptions

    func run() throws {
        let (name, local, json) = (name.text, local, common.json)
        try ask(common, local: local) { conclave in
            guard let lease = try await conclave.leases.show(name, local: local) else {
                Output.standard(json ? JSON.null.description : "nobody has lease \(name.shown)")
                throw ExitStatus(ExitStatus.notObtained)
            }
            Output.standard(json ? lease.json.description : lease.text)
        }
    }
}
