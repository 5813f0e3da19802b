import ArgumentParser
import Conclave

struct HandoverCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "handover",
        abstract: "Have the leader of a slot hand over to a standby.",
        discussion: """
            As 'conclave resign', but the leader names the standby that leads next, before all \
            others; 'conclave why SLOT' shows their sessions. A program that does not listen, or is \
            ended by --force, hands over to nobody: then the next standby leads.

              conclave handover scheduler --to 281474976710719


            """ + RevokingOptions.exitCodes)

    @Argument(help: "The leader slot.")
    var slot: NameArgument

    @Option(help: "The session of the standby.", transform: sessionID)
    var to: SessionID

    @OptionGroup var options: RevokingOptions

    func validate() throws {
        if options.within.duration == .zero {
            throw ValidationError("--within must be positive: only who is asked can hand over")
        }
    }

    func run() throws {
        try options.revoke(.leaderSlot, slot, heir: to)
    }
}
