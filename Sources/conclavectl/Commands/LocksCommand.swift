import ArgumentParser
import Conclave

struct LocksCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "locks",
        abstract: "List locks and semaphores, who holds them and who waits.",
        discussion: """
            With --json one object each, with its first 500 holders and waiters. The answer holds \
            everything that was acknowledged before the question; --local asks this host's daemon \
            for its own copy, also outside the majority.

              conclave locks db/ --json
              {"kind":"lock","name":"db/migrate","mode":"exclusive",
               "holders":[{"session":5,"host":1,"pid":4711,"uid":0,"unit":"",
               "label":"migrate.sh","mode":"exclusive","token":77,"since":"…",
               "remainingMilliseconds":4200}],"waiters":[],…}    (on one line)

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
            try await conclave.locks(prefix: prefix, local: local)
        }
    }
}
