import ArgumentParser
import Conclave

struct ResignCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resign",
        abstract: "Have the leader of a slot resign.",
        discussion: """
            As 'conclave release' has a lock released: the leader is asked, and with --force its \
            session ends if it has not resigned in time. The next standby leads then. Of a slot \
            with places all leaders are asked.

              conclave resign scheduler


            """ + RevokingOptions.exitCodes)

    @Argument(help: "The leader slot.")
    var slot: NameArgument

    @OptionGroup var options: RevokingOptions

    func run() throws {
        try options.revoke(.leaderSlot, slot)
    }
}
