import ArgumentParser
import Conclave

struct GroupMembersCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "members",
        abstract: "Show who belongs to a task group.",
        discussion: """
            Prints the members by rank; with --follow one line for the present view, then one for \
            each change, until it is interrupted, and with --messages what is said to the group, \
            too. The answer holds everything that was acknowledged before the question. 'resync', \
            'doubtful' and 'assured' are as of 'conclave group join'.

              conclave group members workers
              conclave group members workers --follow --json

            Exit codes: 0 also if nobody belongs to it; 64 wrong usage; 69 no daemon, or outside \
            the majority; 77 not permitted; 130 interrupted.
            """)

    @Argument(help: "The group.")
    var name: NameArgument

    @Flag(help: "Then print every change.")
    var follow = false

    @Flag(help: "With --follow: messages as well.")
    var messages = false

    @OptionGroup var common: CommonOptions

    func validate() throws {
        if messages, !follow { throw ValidationError("--messages needs --follow") }
    }

    func run() throws {
        let (name, follow, messages, json) = (name.text, follow, messages, common.json)
        try ask(common, follows: follow) { conclave in
            let updates = conclave.members(
                of: name, messages: messages, wait: .seconds(10))
            for try await update in updates {
                if follow {
                    Output.standard(json ? update.json(of: name).description : update.text)
                } else if let view = update.view {
                    Output.standard(json ? update.json(of: name).description : view.table)
                    return
                } else if case .doubtful(let reason) = update.kind {
                    throw ConclaveError(.unavailable, reason)
                }
            }
        }
    }
}
