import ArgumentParser
import Conclave

struct ViewsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "views",
        abstract: "List the views: who was in the group, who came, who went and why.",
        discussion: """
            One line a view, oldest first; with --follow later ones as they are installed, until \
            it is interrupted. With --json one object a view.

              conclave views --json
              {"epoch":3,"at":"2026-05-04T09:30:00.125Z","members":[1,3],"joined":[],
               "departed":[{"id":2,"reason":"silent","by":1,
               "silentMilliseconds":1020}],
               "stateWasLost":false,"historyWasGivenUp":false}    (on one line)

            A view says so if the state began empty with it, or if it was made by \
            'conclave recover'.

            Exit codes: 0; 64 wrong usage; 69 no daemon; 77 not permitted; 130 interrupted.
            """)

    @Flag(help: "Then print every later view.")
    var follow = false

    @OptionGroup var common: CommonOptions

    func run() throws {
        let (follow, json) = (follow, common.json)
        try ask(common, follows: follow) { conclave in
            for try await view in conclave.views(follow: follow) {
                Output.standard(json ? view.json.description : view.text)
            }
        }
    }
}
