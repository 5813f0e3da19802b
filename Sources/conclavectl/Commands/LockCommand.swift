import ArgumentParser
import Conclave

struct LockCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lock",
        abstract: "Run a command while holding a lock.",
        discussion: """
            Waits for the lock, runs the command without a shell in a process group of its own, \
            passes SIGINT, SIGTERM, SIGHUP and SIGQUIT on to it, and releases the lock when it has \
            ended. If the lock is going to be lost, because the daemon hangs or this host is cut off \
            for longer than the ttl, the command gets SIGTERM a second before, and SIGKILL at the \
            deadline: nobody else has the lock before it has ended. --on-loss kill sends SIGKILL at \
            once, --on-loss freeze SIGSTOP, so that somebody can look at it: it stands still until \
            it gets SIGCONT, or this program a signal that ends both. --on-loss notify only says so. If this program is killed with SIGKILL, so is the \
            command, but not what the command has started.

            The command sees CONCLAVE_NAME and CONCLAVE_TOKEN, a number that grows with every \
            grant: let what the lock guards refuse a smaller token than it has seen. It has 64 bits: \
            awk, JavaScript and whatever else counts in floating point take several for one. \
            CONCLAVE_PREVIOUS_END says how the holder before lost the lock: 'released', 'goodbye' \
            (its session was closed), 'died', 'expired', or 'none' if there was none or nothing is \
            remembered. After 'died' and 'expired' its work may be half done; that is remembered \
            when nobody waited, too.

              conclave lock db/migrate --wait 30s -- ./migrate.sh --all
              conclave lock reports --shared --try -- sh -c 'cat /srv/reports/*'
              conclave lock builds --permits 1 --limit 4 -- make
              conclave lock accounts/7 --and accounts/9 --wait 30s -- ./transfer.sh

            With --and several locks are taken as one: all or none, under one token. Two such \
            requests never wait for each other, in whatever order they name the locks. \
            CONCLAVE_NAME has the names one a line, in their order; CONCLAVE_PREVIOUS_END speaks of \
            one that was lost, if any was. The options are for each of them.

            With --lock-delay nobody gets the lock for a while after this holder has died or its \
            session has expired: what the command had begun elsewhere can come to an end. After an \
            orderly end there is no delay.

            With --permits the lock is a semaphore: it gives out --limit permits at once and no \
            more. The limit is kept in one place; 'conclave limit' changes it. Once somebody has \
            the semaphore --limit may be left out, and another limit is refused.

            A request that would wait for itself is refused at once as a deadlock, and the message \
            names the whole cycle: who waits for what, held by whom. Commands that run \
            'conclave lock' or 'conclave elect' themselves are known to wait for it, by \
            CONCLAVE_TASK in their environment; a background process that nobody waits for should \
            not have that variable.

            With --json one object a state (waiting, granted, asked, released, lost, cancelled) goes \
            to the standard error, or one with 'error', 'message' and 'advice'.

            Exit codes: the command's own, or 128 + n if signal n killed it (130 if this program passed \
            it on); 1 not obtained (busy, \
            waited too long, deadlock); 64 wrong usage; 69 no daemon, or outside the majority; 75 \
            the daemon went away while waiting, try again; 76 the lock was lost; 77 not permitted; \
            126 not executable; 127 not found; 130 interrupted, or ended since an administrator asked \
            for the lock.
            """)

    @Argument(help: "The lock: up to 255 bytes, '/' separates levels.")
    var name: NameArgument

    @Option(
        name: .customLong("and"),
        help: ArgumentHelp(
            "Another lock that is taken with it, as one; up to 63 times.", valueName: "name"))
    var others: [NameArgument] = []

    @Flag(help: "Hold it together with other shared holders.")
    var shared = false

    @Option(
        help: ArgumentHelp("Take so many permits of a semaphore.", valueName: "count"))
    var permits: UInt32?

    @Option(
        help: ArgumentHelp(
            "How many permits the semaphore gives out at once.", valueName: "count"))
    var limit: UInt32?

    @Flag(name: .customLong("try"), help: "Do not wait: exit with 1 if it is not free.")
    var isTry = false

    @Option(
        help: ArgumentHelp(
            "If it is lost, nobody gets it for so long (at most 10m; by default 0).",
            valueName: "duration"))
    var lockDelay: DurationArgument?

    @OptionGroup var hold: HoldOptions
    @OptionGroup var common: CommonOptions

    @Argument(parsing: .postTerminator, help: "What to run, after '--'.")
    var command: [String] = []

    func validate() throws {
        if Set(names).count < names.count { throw ValidationError("a lock is named twice") }
        if names.count > 64 { throw ValidationError("more than 64 locks are named") }
        if isTry, hold.wait != nil { throw ValidationError("--try and --wait exclude each other") }
        if shared, permits != nil || limit != nil {
            throw ValidationError("--shared excludes --permits and --limit")
        }
        if permits == 0 || limit == 0 {
            throw ValidationError("--permits and --limit must not be 0")
        }
        if let limit, permits ?? 1 > limit {
            throw ValidationError("--permits is more than --limit")
        }
        if let lockDelay, lockDelay.duration > .seconds(600) {
            throw ValidationError("--lock-delay is at most 10m")
        }
        if command.isEmpty { throw ValidationError("no command to run is given after '--'") }
    }

    func run() throws {
        let signals = WrapperSignals()
        try checkProgram(command[0])
        let request = HoldRequest(
            kind: names.count == 1 ? .lock(mode) : .locks(names, mode),
            name: name.text, priority: hold.priority,
            wait: isTry ? .zero : hold.wait?.duration, ttl: hold.ttl?.duration,
            lockDelay: lockDelay?.duration ?? .zero, onLoss: hold.onLoss, socket: common.socket,
            label: label(of: command),
            taskPath: try SurroundingTask.find())
        let narrator = Narrator(
            json: common.json, noun: "name", name: names.joined(separator: "\n"),
            names: others.isEmpty ? [] : names)
        var wrapper = Wrapper(
            request, CommandWords(last: command.count), narrator, signals)
        throw wrapper.run()
    }
}

extension LockCommand {
    /// In their order.
    var names: [String] {
        ([name] + others).map(\.text).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    private var mode: Lock.Mode {
        if permits != nil || limit != nil { return .permits(permits ?? 1, of: limit) }
        return shared ? .shared : .exclusive
    }
}

/// Ends with 126 or 127 before anything is taken for a program that cannot run.
func checkProgram(_ program: String) throws {
    do throws(ProgramPath.Fault) {
        try ProgramPath.check(program, path: ProgramPath.searchPath)
    } catch {
        switch error {
        case .notFound:
            Output.error("\(program.shown): not found; nothing was taken")
            throw ExitStatus(ExitStatus.notFound)
        case .notExecutable:
            Output.error("\(program.shown): not executable; nothing was taken")
            throw ExitStatus(ExitStatus.notExecutable)
        }
    }
}

/// What operators see beside the session: the program, not its arguments, which may be secret.
func label(of command: [String]) -> String {
    command[0].split(separator: "/").last.map(String.init) ?? command[0]
}
