import ArgumentParser
import Conclave

struct LeaderCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "leader",
        abstract: "Show who leads a slot.",
        discussion: """
            Prints the leader of the slot with its term and value, or all of them where several \
            may lead at once, or that there is none; with \
            --follow then every change, also "nobody", until it is interrupted. 'doubtful' and a \
            reason say that somebody else may lead by now and nobody tells, since no daemon is \
            there or it is outside the majority (one that hangs tells nothing until its watchdog has \
            ended it); when that is over the leader is shown again. The answer holds everything that was acknowledged before the question; --local asks this host's daemon \
            for its own copy, also outside the majority.

              conclave leader scheduler --json
              {"slot":"scheduler","leader":{"session":7,"host":2,"pid":4711,
               "label":"","place":0,"token":91,"value":"http://b","since":"…"},
               "places":1,"leaders":[…],"standbys":1,"version":91,"doubt":null}    (on one line)

            Exit codes: 0 also if nobody leads; 64 wrong usage; 69 no daemon, or outside the \
            majority; 77 not permitted; 130 interrupted.
            """)

    @Argument(help: "The leader slot.")
    var slot: NameArgument

    @Flag(help: "Then print every change.")
    var follow = false

    @Flag(help: "From the own copy of this host's daemon, which may be behind.")
    var local = false

    @OptionGroup var common: CommonOptions

    func run() throws {
        let (slot, follow, local, json) = (slot.text, follow, local, common.json)
        try ask(common, local: local, follows: follow) { conclave in
            let changes = conclave.leader(of: slot, local: local, wait: .seconds(10))
            for try await change in changes {
                Output.standard(json ? change.json.description : change.text)
                if !follow { return }
            }
        }
    }
}
