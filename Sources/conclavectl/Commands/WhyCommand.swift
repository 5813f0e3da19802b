import ArgumentParser
import Conclave

struct WhyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "why",
        abstract: "Explain who holds something, who waits, and for whom.",
        discussion: """
            Prints the lock, leader slot, barrier, latch or lease of that name with its holders and its \
            queue, and from the first waiter on the chain of who waits for whom; of a barrier, who has \
            arrived since when, and who is missing, and if its parties are the members of a task \
            group, of which view; of a task group, its view and how many belong to it. The answer holds \
            everything that was acknowledged before the question; --local asks this host's daemon \
            for its own copy, also outside the majority.

              conclave why db/migrate
              lock db/migrate, exclusive
                held by session 5 (node 1, pid 4711, uid 0), token 77, held since …, valid for 4.2 s
                1. session 6 (node 2, pid 815, uid 0), waiting since …

            Exit codes: 0 also if there is no such thing; 64 wrong usage; 69 no daemon, or outside \
            the majority; 77 not permitted.
            """)

    @Argument(help: "The name of the lock, slot, barrier, latch, lease or task group.")
    var name: NameArgument

    @Flag(help: "From the own copy of this host's daemon, which may be behind.")
    var local = false

    @OptionGroup var common: CommonOptions

    func run() throws {
        let (name, local, json) = (name.text, local, common.json)
        try ask(common, local: local) { conclave in
            let explanation = try await conclave.why(name, local: local)
            Output.standard(json ? explanation.json(name).description : explanation.text(name))
        }
    }
}
