import ArgumentParser
import Conclave

/// What all of them have in common of their help.
private let exitCodes = """
    Exit codes: 0, it is so; 64 wrong usage, or no such member; 69 no daemon; 77 not permitted: only root \
    and the user that conclaved runs as may do this, and only where the daemon's configuration has \
    'chaos: true'.
    """

struct ChaosCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "chaos",
        abstract:
            "Have something go wrong at the daemon of this host, to see how programs take it.",
        discussion: """
            On machines on which nothing is at stake: the configuration of the daemon must have \
            'chaos: true'. Each ends by itself after --for, all at once with 'conclave chaos end', and \
            with the daemon. 'conclave status' shows what goes wrong and for how long still, the daemon's \
            log who has asked for it.

              conclave chaos cut 3 --for 20s
              conclave chaos stall --for 4s
              conclave chaos slow-disk 200ms --for 1m
              conclave chaos end

            To kill a daemon, or a program, use kill.


            """ + exitCodes,
        subcommands: [
            ChaosCutCommand.self, ChaosStallCommand.self, ChaosSlowDiskCommand.self,
            ChaosEndCommand.self,
        ])
}

struct ChaosCutCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cut",
        abstract: "Cut this host off from another member: nothing goes either way.",
        discussion: """
            The connection stays, as if a switch on the way had stopped to forward: both ends find out by \
            the other's silence. What was on its way arrives when it is over. Run it for each member to \
            cut this host off from all.


            """ + exitCodes)

    @Argument(help: "The other member's id; 'conclave members' shows them.", transform: memberID)
    var id: NodeID

    @OptionGroup var length: ChaosLength
    @OptionGroup var common: CommonOptions

    func run() throws {
        try disturb(.cut(id), length, common)
    }
}

struct ChaosStallCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stall",
        abstract: "Have the daemon stand still, as on a machine that hangs.",
        discussion: """
            It answers nobody meanwhile, and what its clients hold is valid only until the deadlines that \
            they were shown. One minute at most: systemd takes a daemon that is silent for longer than \
            WatchdogSec for dead, and restarts it.


            """ + exitCodes)

    @OptionGroup var length: ChaosLength
    @OptionGroup var common: CommonOptions

    func run() throws {
        try disturb(.stall, length, common)
    }
}

struct ChaosSlowDiskCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "slow-disk",
        abstract: "Have each sync of the daemon's disk take longer.",
        discussion: """
            Every request waits for the slowest disk of the group; a member whose disk takes longer than \
            the setting timing.stall is left out.


            """ + exitCodes)

    @Argument(help: "How much longer a sync takes, such as 200ms; 10s at most.")
    var pause: DurationArgument

    @OptionGroup var length: ChaosLength
    @OptionGroup var common: CommonOptions

    func run() throws {
        try disturb(.slowDisk(by: pause.duration), length, common)
    }
}

struct ChaosEndCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "end",
        abstract: "End whatever goes wrong by order at the daemon of this host.",
        discussion: exitCodes)

    @OptionGroup var common: CommonOptions

    func run() throws {
        let json = common.json
        try ask(common) { conclave in
            try await conclave.endDisturbances()
            Output.standard(
                json
                    ? JSON.object(["disturbances": .array([])]).description
                    : "nothing goes wrong by order any more")
        }
    }
}

struct ChaosLength: ParsableArguments {
    @Option(
        name: .customLong("for"),
        help: ArgumentHelp(
            "For how long; 10m at most, and 1m if it stands still.", valueName: "duration"))
    var length = DurationArgument(duration: .seconds(10))
}

private func disturb(
    _ disturbance: Disturbance, _ length: ChaosLength, _ common: CommonOptions
) throws {
    let (duration, json) = (length.length.duration, common.json)
    try ask(common) { conclave in
        try await conclave.disturb(disturbance, for: duration)
        Output.standard(
            json
                ? disturbance.json(for: duration).description
                : "\(disturbance.words), for \(duration.text)")
    }
}
