import ArgumentParser
import Conclave

struct EvictCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evict",
        abstract: "End a session by force, with all that it has and waits for.",
        discussion: """
            It ends as soon as its process can no longer believe in it: at once if its daemon is \
            there, else when its time has passed. 'conclave sessions' lists them, 'conclave why' \
            names those that hold and await something.

              conclave evict 281474976710719

            Only root and the user that conclaved runs as may do this.

            Exit codes: 0, it ends; 1 there is no such session; 64 wrong usage; 69 no daemon, or \
            outside the majority; 75 nobody knows yet, ask again; 77 not permitted.
            """)

    @Argument(help: "The session.", transform: sessionID)
    var session: SessionID

    @OptionGroup var common: CommonOptions

    func run() throws {
        let (session, json) = (session, common.json)
        try ask(common, see: "sessions") { conclave in
            try await conclave.endSession(session)
            await conclave.close()
            let report = JSON.object(["session": .unsigned(session.number), "ends": .bool(true)])
            Output.standard(json ? report.description : "session \(session) ends")
        }
    }
}
