import ArgumentParser
import Conclave

struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show how it stands with the group.",
        discussion: """
            Answered also by a daemon that is outside the majority, with the reason why it does \
            not serve. Its own copy is what --local of other commands shows: how far that may be \
            behind is told, and what 'conclave chaos' has go wrong here.

              conclave status --json
              {"node":1,"epoch":3,"rank":0,"serving":true,"reason":"",
               "durability":"disk","members":[{"id":1,"address":"10.0.0.1:7400",
               "state":"member","rank":0},…],"version":91,
               "ageMilliseconds":12,"sessions":2,"objects":1,"disturbances":[]}    (on one line)

            Exit codes: 0 also if the daemon does not serve; 64 wrong usage; 69 no daemon; 77 not \
            permitted.
            """)

    @OptionGroup var common: CommonOptions

    func run() throws {
        let json = common.json
        try ask(common) { conclave in
            let status = try await conclave.status()
            Output.standard(json ? status.json.description : status.text)
        }
    }
}
