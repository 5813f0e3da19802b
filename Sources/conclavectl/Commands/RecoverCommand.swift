import ArgumentParser
import Conclave

struct RecoverCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "recover",
        abstract: "Go on with what this host has, after a majority is lost for good.",
        discussion: """
            A group that has lost a majority of its members waits for them, for ever: they may have \
            acknowledged what nobody else has. This command tells the daemon of this host to wait no \
            longer. What only the others had is lost, and all sessions end, with their locks, \
            leader slots and barriers.

            A group that keeps its state in memory (durability: memory) loses it with the last process \
            that has it. It begins anew by itself when every member is started again, with or \
            without its data directory. Without those that stay away this command has it begin with \
            an empty state: every lock, leader slot, barrier and key is gone.

            Before you run it:
              - Try to bring the others back, or their data directories. That loses nothing.
              - Make sure that those that stay away are stopped. A daemon that still runs with \
            others elsewhere goes on granting locks there.
              - Start every member that is left. The daemon asks those that it reaches what they \
            have, and refuses if one of them has more, or if they are enough to go on by themselves.

            Then this daemon alone is the group. Versions and fencing tokens go on above all old \
            ones, and nothing is granted until what the others granted has run out for certain \
            (the group's `maxSessionTtl`; the answer says how long). Members that it reached stay \
            on the member list; the others are taken off, and come back by 'conclave member add'. \
            A member that has an older state than this one comes back with an empty data \
            directory: move the old one away first.

              conclave recover --accept-data-loss

            Only root and the user that conclaved runs as may do this.

            Exit codes: 0, it is so; 1 refused, and nothing was changed; 64 wrong usage; 69 no \
            daemon; 75 nobody knows yet, see 'conclave status'; 77 not permitted.
            """)

    @Flag(help: "What only members that are gone had is lost, and all sessions end.")
    var acceptDataLoss = false

    @Option(
        help: ArgumentHelp(
            "Versions go on in this era at least: larger than any that a lost member may have used.",
            valueName: "number"))
    var eraAtLeast: UInt16?

    @OptionGroup var common: CommonOptions

    func validate() throws {
        guard acceptDataLoss else {
            throw ValidationError(
                """
                This gives up what only members that are gone have acknowledged, and ends all \
                sessions. If they are gone for good: conclave recover --accept-data-loss
                """)
        }
    }

    func run() throws {
        let (era, json) = (eraAtLeast ?? 0, common.json)
        try ask(common) { conclave in
            let report = try await conclave.recoverAcceptingDataLoss(eraAtLeast: era)
            Output.standard(json ? report.json.description : report.text)
        }
    }
}
