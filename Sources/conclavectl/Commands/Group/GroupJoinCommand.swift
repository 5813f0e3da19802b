import ArgumentParser
import Conclave
import Glibc

struct GroupJoinCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "join",
        abstract: "Be a member of a task group, while a command runs or until interrupted.",
        discussion: """
            With a command: joins the group, runs the command as 'conclave lock' does, without a \
            shell, and leaves when it has ended. The command sees CONCLAVE_NAME and CONCLAVE_TOKEN, \
            which names the membership ('conclave group members' shows it), and CONCLAVE_MEMBER, \
            the same for commands within. If somebody puts the \
            member out, or the session is lost, the command gets SIGTERM (see --on-loss). With \
            --json one object a state (waiting, granted, released, lost) goes to the standard error.

            Without: prints what members are told, one line each, until it is interrupted: first the \
            view in which it joined, then every view and message. 'resync' says that some are \
            missing; 'doubtful' that there may be some that nobody tells for now, since no daemon is \
            there or it is outside the majority; 'assured' that this is over.

              conclave group join workers --attribute gpu=2 --attribute rack=b -- ./worker
              conclave group join workers --json
              {"event":"view","group":"workers","view":…,"version":…,"members":[…],…}
              {"event":"message","group":"workers","view":…,"rank":0,"text":"reload",…}

            Exit codes: the command's own, or 128 + n if signal n killed it; 1 refused, or no answer \
            in time; 64 wrong usage; 69 no daemon, or outside the majority; 75 the daemon went away \
            while joining; 76 the membership was lost; 77 not permitted; 126 not executable; 127 not \
            found; 130 interrupted.
            """)

    @Argument(help: "The group: up to 255 bytes, '/' separates levels.")
    var name: NameArgument

    @Option(
        help: ArgumentHelp(
            "What the others are told of this member; at most 32, together 4 KiB.",
            valueName: "key=value"))
    var attribute: [AttributeArgument] = []

    @Option(
        help: ArgumentHelp(
            "Wait at most this long for the group's answer (250ms, 30s, 5m); by default for ever.",
            valueName: "duration"))
    var wait: DurationArgument?

    @Option(
        help: ArgumentHelp(
            "How long it stays a member when the daemon or this host goes silent (default: 5s, or "
                + "what the group allows that is nearest).",
            valueName: "duration"))
    var ttl: DurationArgument?

    @Option(
        help: ArgumentHelp(
            "What the command gets when the membership is lost, or a second before.",
            valueName: "action"))
    var onLoss = LossAction.signal

    @OptionGroup var common: CommonOptions

    @Argument(parsing: .postTerminator, help: "What to run, after '--'.")
    var command: [String] = []

    func validate() throws {
        if let ttl, ttl.duration == .zero { throw ValidationError("--ttl must be positive") }
        if wait?.duration == .zero { throw ValidationError("--wait must be positive") }
        var named: Set<String> = []
        for attribute in attribute where !named.insert(attribute.name).inserted {
            throw ValidationError("the attribute '\(attribute.name)' is given twice")
        }
    }

    func run() throws {
        let signals = WrapperSignals()
        if let program = command.first { try checkProgram(program) }
        let attributes = Dictionary(
            attribute.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 })
        let request = HoldRequest(
            kind: .membership(attributes: attributes), name: name.text, priority: 0,
            wait: wait?.duration, ttl: ttl?.duration, onLoss: onLoss, socket: common.socket,
            label: command.isEmpty ? "conclave" : label(of: command),
            taskPath: try SurroundingTask.find())
        guard !command.isEmpty else {
            throw GroupListener(request, attributes, json: common.json).run(signals)
        }
        let narrator = Narrator(json: common.json, noun: "group", name: name.text)
        var wrapper = Wrapper(request, CommandWords(last: command.count), narrator, signals)
        throw wrapper.run()
    }
}
