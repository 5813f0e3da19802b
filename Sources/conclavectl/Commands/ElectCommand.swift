import ArgumentParser
import Conclave
import Glibc

struct ElectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "elect",
        abstract: "Run a command while being the leader.",
        discussion: """
            Stands for leader of the slot and runs the command once elected, as 'conclave lock' \
            runs one under a lock: without a shell, stopped when the leadership is lost, with \
            CONCLAVE_NAME, CONCLAVE_TOKEN (the term), CONCLAVE_PLACE and CONCLAVE_PREVIOUS_END in its \
            environment. \
            When the command ends, the slot goes to the next standby.

              conclave elect scheduler --value "http://$(hostname):8080" -- ./scheduler
              conclave elect scheduler --repeat -- ./scheduler
              conclave elect crawler --places 3 -- ./crawler

            With --places several lead at once, each in a place of its own, 0 and so on: the first \
            who stands for the slot fixes how many there are, as long as anybody leads it or \
            stands for it. Somebody who names another number is refused.

            With --repeat it stands again whenever the command has ended or the leadership was \
            lost, until it is interrupted.

            With --json one object a state (waiting, granted, released, lost) goes to the standard \
            error.

            Exit codes: the command's own, or 128 + n if signal n killed it; 1 not elected in \
            time, deadlock; 64 wrong usage; 69 no daemon, or outside the majority; 75 the daemon \
            went away while waiting, try again; 76 the leadership was lost; 77 not permitted; 126 not executable; \
            127 not found; 130 interrupted, or ended since an administrator asked for the place.
            """)

    @Argument(help: "The leader slot: up to 255 bytes, '/' separates levels.")
    var slot: NameArgument

    @Option(
        help: ArgumentHelp(
            "What observers see beside the leader; at most 4 KiB.", valueName: "text"))
    var value = ""

    @Option(
        help: ArgumentHelp(
            "How many lead at once, 1 to 128; by default as many as the slot has, or 1.",
            valueName: "count"))
    var places: UInt32?

    @Flag(name: .customLong("repeat"), help: "Stand again after each end, until interrupted.")
    var isRepeated = false

    @OptionGroup var hold: HoldOptions
    @OptionGroup var common: CommonOptions

    @Argument(parsing: .postTerminator, help: "What to run, after '--'.")
    var command: [String] = []

    func validate() throws {
        if command.isEmpty { throw ValidationError("no command to run is given after '--'") }
        if hold.wait?.duration == .zero { throw ValidationError("--wait must be positive") }
        if let places, !(1...128).contains(places) {
            throw ValidationError("--places must be 1 to 128")
        }
        if value.utf8.count > 4_096 { throw ValidationError("--value has more than 4 KiB") }
    }

    func run() throws {
        let signals = WrapperSignals()
        try checkProgram(command[0])
        let request = HoldRequest(
            kind: .leadership(value: value, places: places), name: slot.text,
            priority: hold.priority, wait: hold.wait?.duration, ttl: hold.ttl?.duration,
            onLoss: hold.onLoss, socket: common.socket, label: label(of: command),
            taskPath: try SurroundingTask.find())
        let narrator = Narrator(json: common.json, noun: "slot", name: slot.text)
        while true {
            var wrapper = Wrapper(
                request, CommandWords(last: command.count), narrator, signals)
            let status = wrapper.run()
            guard isRepeated, !wrapper.isInterrupted, Self.mayDiffer(status) else { throw status }
            if signals.wait(milliseconds: 1_000) { throw ExitStatus(ExitStatus.interrupted) }
        }
    }

    /// Whether standing again can end otherwise.
    private static func mayDiffer(_ status: ExitStatus) -> Bool {
        guard !status.isOfCommand else { return true }
        return switch status.code {
        case ExitStatus.usage, ExitStatus.denied, ExitStatus.notExecutable, ExitStatus.notFound:
            false
        default: true
        }
    }
}
