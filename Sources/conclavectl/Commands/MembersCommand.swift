import ArgumentParser
import Conclave

struct MembersCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "members",
        abstract: "List the configured machines and what is known of them.",
        discussion: """
            States: member (in the installed view), suspected, joining, absent. With --json one \
            object a machine.

              conclave members --json
              {"id":1,"address":"10.0.0.1:7400","state":"member","rank":0}

            Exit codes: 0; 64 wrong usage; 69 no daemon; 77 not permitted.
            """)

    @OptionGroup var common: CommonOptions

    func run() throws {
        try list(common, json: { $0.json }, table: { $0.table }) { conclave in
            try await conclave.members()
        }
    }
}
