import ArgumentParser
import Conclave

struct SessionsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sessions",
        abstract: "List sessions: whose they are, and how much they have and wait for.",
        discussion: """
            VALID is for how long a session goes on without its daemon, if that is the one asked. \
            A session whose host is away ends when its time has passed, unless its process resumes \
            it elsewhere. With --json one object a line. The answer holds everything that was \
            acknowledged before the question; --local asks this host's daemon for its own copy, \
            also outside the majority.

              conclave sessions --json | grep '"isAway":true'

            Exit codes: 0; 64 wrong usage; 69 no daemon, or outside the majority; 77 not permitted.
            """)

    @Flag(help: "From the own copy of this host's daemon, which may be behind.")
    var local = false

    @OptionGroup var common: CommonOptions

    func run() throws {
        let local = local
        try list(common, local: local, json: { $0.json }, table: { $0.table }) { conclave in
            try await conclave.sessions(local: local)
        }
    }
}
