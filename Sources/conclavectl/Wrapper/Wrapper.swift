import CConclaveLinux
import Conclave
import Glibc

/// Runs a command while something is held: the synchronous half, on the main thread.
///
/// It believes the validity page and its own timer before anybody else, so that the command is
/// stopped at the deadline also when the daemon hangs. It ends when the command has ended and what
/// was held is given back.
struct Wrapper {
    /// How long an ordered cancel or release is waited for; without it the end of this process does
    /// the same.
    private static let patience = UInt64(2_000_000_000)

    private enum Phase {
        case waiting
        /// The waiting is being given up.
        case cancelling
        case running(ChildProcess, Holder.Grant)
        /// What was held is lost, and the command does nothing more, or soon.
        case stopping(ChildProcess, Stop)
        case releasing(ExitStatus)
        case done(ExitStatus)
    }

    private enum Stop {
        /// It was asked to end, and is killed at the deadline.
        case asked
        /// It stands still: whoever comes to look at it ends it, or lets it go on.
        case frozen
        case killed
    }

    private let command: CommandWords
    private let onLoss: LossAction
    /// Before the deadline, so that the command has ended by then.
    private var margin: Duration
    private let usesGroupTTL: Bool
    /// Giving back waits for others, who may break it.
    private let othersLeaveToo: Bool
    private let narrator: Narrator
    let holder: Holder
    private let signals: WrapperSignals
    private let timer: Int32
    private let terminal = Terminal()
    private var phase = Phase.waiting
    private var forwarded: Set<Int32> = []
    /// What was held is lost, and the command goes on.
    private var isLossTold = false
    /// An administrator has asked for what is held.
    private var notice: Notice?
    private let socket: String?
    /// It was told why it waits, if that is the daemon.
    private var isImpatient = false

    /// Asks for what `request` names at once.
    init(
        _ request: HoldRequest, _ command: CommandWords, _ narrator: Narrator,
        _ signals: WrapperSignals
    ) {
        self.command = command
        onLoss = request.onLoss
        usesGroupTTL = request.ttl == nil
        othersLeaveToo = if case .doubleBarrier = request.kind { true } else { false }
        margin = OnLoss.margin(of: request.ttl ?? .seconds(5))
        self.narrator = narrator
        self.signals = signals
        socket = request.socket
        timer = conclave_linux_timer_create()
        narrator.waiting()
        holder = Holder(request)
    }

    /// Whether somebody asked this program to end.
    var isInterrupted: Bool { !forwarded.isEmpty }

    mutating func run() -> ExitStatus {
        defer { close(timer) }
        while true {
            if case .done(let status) = phase { return status }
            waitForSomething()
            for signal in signals.take() { received(signal) }
            for message in holder.inbox.take() { received(message) }
            childMayHaveChanged()
            timeMayBeUp()
        }
    }

    private mutating func waitForSomething() {
        var descriptors = [signals.descriptor, holder.inbox.descriptor, timer]
        if let child { descriptors.append(child.descriptor) }
        var isWaiting = false
        if case .waiting = phase { isWaiting = !isImpatient }
        if !waitUntilReadable(descriptors, milliseconds: isWaiting ? impatience : -1) {
            isImpatient = true
            let narrator = narrator
            tellWhyItWaits(socket: socket) { narrator.waiting(since: $0) }
        }
        conclave_linux_timer_clear(timer)
    }

    private var child: ChildProcess? {
        switch phase {
        case .running(let child, _), .stopping(let child, _): child
        case .waiting, .cancelling, .releasing, .done: nil
        }
    }

    // MARK: What happens

    private mutating func received(_ signal: Int32) {
        guard WrapperSignals.forwarded.contains(signal) else { return }
        forwarded.insert(signal)
        switch phase {
        case .waiting:
            phase = .cancelling
            holder.cancel()
            wake(after: Self.patience)
        case .running(let child, _):
            child.signalGroup(signal)
            child.signalGroup(SIGCONT)
        case .cancelling, .releasing:
            phase = .done(ExitStatus(ExitStatus.interrupted))
        case .stopping(let child, .frozen): kill(child)
        case .stopping, .done: return
        }
    }

    private mutating func received(_ message: Holder.Message) {
        switch (phase, message) {
        case (.waiting, .held(let grant)):
            granted(grant)
        case (.waiting, .failed(let error)):
            narrator.failed(error)
            phase = .done(ExitStatus(for: error))
        case (.waiting, _), (.cancelling, _):
            narrator.cancelled()
            phase = .done(ExitStatus(ExitStatus.interrupted))
        case (.running(let child, _), .asked(let notice)):
            asked(child, notice)
        case (.running(let child, _), .failed(let error)):
            lost(child, error.message)
        case (.running(let child, _), _):
            lost(child, "the session ended")
        case (.releasing, .asked): return
        case (.releasing(let status), .released):
            narrator.released()
            phase = .done(status)
        case (.releasing(let status), .failed(let error)):
            if othersLeaveToo { narrator.failed(error) }
            phase = .done(status)
        case (.releasing(let status), _):
            phase = .done(status)
        case (.stopping, _), (.done, _):
            return
        }
    }

    /// The command is to end, and what is held goes back then.
    private mutating func asked(_ child: ChildProcess, _ notice: Notice) {
        self.notice = notice
        narrator.asked(notice)
        child.signalGroup(SIGTERM)
        child.signalGroup(SIGCONT)
    }

    private mutating func granted(_ grant: Holder.Grant) {
        // This program may have stood still since then.
        guard grant.validity.isValid else {
            narrator.lost(Self.passedDeadline, "is not started")
            phase = .done(ExitStatus(ExitStatus.lost))
            return
        }
        narrator.granted(grant)
        unsafe setenv("CONCLAVE_TOKEN", grant.token.description, 1)
        if let place = grant.place { unsafe setenv("CONCLAVE_PLACE", place.description, 1) }
        if let member = grant.member {
            unsafe setenv(BarrierCommand.memberVariable, member.description, 1)
        }
        unsafe setenv("CONCLAVE_PREVIOUS_END", grant.previousEnd.description, 1)
        unsafe setenv(SurroundingTask.variable, grant.taskPath.description, 1)
        unsafe setenv("CONCLAVE_NAME", narrator.name, 1)
        do throws(ChildProcess.StartFailure) {
            let child = try ChildProcess(command)
            terminal.give(to: child)
            phase = .running(child, grant)
            // What is left now is nearly all of it.
            if usesGroupTTL {
                margin = OnLoss.margin(of: grant.validity.deadline - ContinuousClock.now)
            }
            watchDeadline(of: grant)
        } catch {
            let why = unsafe String(cString: conclave_linux_error_text(error.number))
            narrator.cannotStart(command.program, why)
            release(
                ExitStatus(
                    error.number == ENOENT ? ExitStatus.notFound : ExitStatus.notExecutable))
        }
    }

    private mutating func childMayHaveChanged() {
        guard let child else { return }
        let mustEnd = if case .stopping = phase { true } else { false }
        // When what was held is lost, nothing of the command may stay behind.
        let change = child.change { if mustEnd { child.signalGroup(SIGKILL) } }
        switch change {
        case nil: return
        case .stopped?: stopped(child)
        case .ended(let end)?: ended(child, end)
        }
    }

    private mutating func ended(_ child: ChildProcess, _ end: ChildProcess.End) {
        terminal.takeBack(from: child)
        close(child.descriptor)
        guard case .running(_, let grant) = phase else {
            phase = .done(ExitStatus(ExitStatus.lost))
            return
        }
        guard grant.validity.isValid, !isLossTold else {
            if !isLossTold { narrator.lost(Self.passedDeadline, "is stopped") }
            phase = .done(ExitStatus(ExitStatus.lost))
            return
        }
        let signals = notice == nil ? forwarded : forwarded.union([SIGTERM])
        release(ExitStatus(of: end, forwarded: signals))
    }

    /// The command was stopped, by Ctrl-Z for instance: so is this program, until both go on.
    private mutating func stopped(_ child: ChildProcess) {
        guard case .running(_, let grant) = phase else { return }
        guard isatty(STDIN_FILENO) == 1 else { return }
        terminal.takeBack(from: child)
        terminal.stopWithGroup()
        if isLossNear(grant) {
            lost(child, Self.nearLoss, at: grant.validity.deadline)
            if onLoss != .notify { return }
        }
        terminal.give(to: child)
        child.signalGroup(SIGCONT)
    }

    /// It is lost, or will be at `deadline`.
    private mutating func lost(
        _ child: ChildProcess, _ reason: String, at deadline: ContinuousClock.Instant? = nil
    ) {
        guard !isLossTold else { return }
        isLossTold = true
        narrator.lost(reason, onLoss.sentence)
        switch onLoss {
        case .notify: return
        // Somebody else may have it by now: there is no time left.
        case .signal where deadline == nil: kill(child)
        case .signal:
            child.signalGroup(SIGTERM)
            child.signalGroup(SIGCONT)
            phase = .stopping(child, .asked)
            wake(after: deadline.flatMap(Self.nanoseconds(until:)) ?? 0)
        case .freeze:
            child.signalGroup(SIGSTOP)
            phase = .stopping(child, .frozen)
        case .kill: kill(child)
        }
    }

    private mutating func kill(_ child: ChildProcess) {
        child.signalGroup(SIGKILL)
        phase = .stopping(child, .killed)
    }

    private mutating func release(_ status: ExitStatus) {
        holder.release(to: notice?.heir)
        phase = .releasing(status)
        wake(after: Self.patience)
    }

    // MARK: Time

    private mutating func timeMayBeUp() {
        switch phase {
        case .running(let child, let grant):
            if isLossNear(grant) {
                lost(child, Self.nearLoss, at: grant.validity.deadline)
            } else {
                watchDeadline(of: grant)
            }
        case .stopping(let child, .asked):
            if isTimeUp { kill(child) }
        case .cancelling:
            if isTimeUp { phase = .done(ExitStatus(ExitStatus.interrupted)) }
        case .releasing(let status):
            if isTimeUp { phase = .done(status) }
        case .waiting, .stopping, .done:
            return
        }
    }

    /// When the timer goes off, in nanoseconds of CLOCK_BOOTTIME.
    private var dueAt: UInt64 = .max

    private var isTimeUp: Bool { conclave_linux_boot_time() >= dueAt }

    private mutating func wake(after nanoseconds: UInt64) {
        dueAt = conclave_linux_boot_time() + nanoseconds
        conclave_linux_timer_set(timer, dueAt)
    }

    private static let passedDeadline = "its deadline has passed"
    private static let nearLoss = "the daemon has not extended it, and its deadline has come"

    /// Whether the command must stop now to have ended by the deadline. One that may go on is told at
    /// the deadline itself.
    private func isLossNear(_ grant: Holder.Grant) -> Bool {
        if onLoss == .notify { return !grant.validity.isValid }
        return grant.validity.deadline - ContinuousClock.now <= margin
    }

    /// The deadline moves while all is well: it is looked at again when the command would have had
    /// to stop.
    private mutating func watchDeadline(of grant: Holder.Grant) {
        let before = onLoss == .notify ? Duration.zero : margin
        let dueAt = grant.validity.deadline - before
        guard !isLossTold, let nanoseconds = Self.nanoseconds(until: dueAt) else { return }
        wake(after: nanoseconds)
    }

    /// Zero if it has passed; `nil`: it never comes.
    private static func nanoseconds(until instant: ContinuousClock.Instant) -> UInt64? {
        let (seconds, attoseconds) = max(.zero, instant - ContinuousClock.now).components
        let whole = UInt64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
        guard !whole.overflow, whole.partialValue < UInt64.max / 2 else { return nil }
        return whole.partialValue + UInt64(attoseconds / 1_000_000_000)
    }
}

extension LossAction {
    /// What becomes of the command.
    fileprivate var sentence: String {
        switch self {
        case .notify: "goes on"
        case .signal, .kill: "is stopped"
        case .freeze:
            "stands still: SIGCONT to its process group lets it go on, without what it held"
        }
    }
}
