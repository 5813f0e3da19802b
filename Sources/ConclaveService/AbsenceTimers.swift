import ConclaveBase
import ConclaveCoordination

/// When this member proposes, in the installed epoch, what only an ordered request may do after a
/// time: to end sessions whose host is gone (K4), to open locks whose holders were lost, and to grant
/// again after a loss of state (V26).
///
/// Made anew from the machine's state at each view, and never carried into another one (K2).
struct AbsenceTimers {
    struct Timer {
        var due: Instant
        var command: Command
    }

    /// By time, the earliest last.
    private var timers: [Timer] = []
    /// Not in their places yet: thousands may come one by one.
    private var added: [Timer] = []
    private(set) var nextDue = Instant.distantFuture

    mutating func removeAll() {
        timers.removeAll()
        added.removeAll()
        nextDue = .distantFuture
    }

    /// The bug of V20 and K2: what ran in the last epoch goes on in this one.
    mutating func carry(into epoch: Epoch) {
        sortIn()
        for index in timers.indices {
            guard case .expire(let session, let attachment, _) = timers[index].command else {
                continue
            }
            timers[index].command = .expire(
                session: session, attachment: attachment, epoch: epoch)
        }
    }

    mutating func add(_ timers: [Timer]) {
        added += timers
        for timer in timers { nextDue = min(nextDue, timer.due) }
    }

    mutating func takeDue(now: Instant) -> [Command] {
        sortIn()
        var commands: [Command] = []
        while let last = timers.last, last.due <= now {
            commands.append(last.command)
            timers.removeLast()
        }
        nextDue = timers.last?.due ?? .distantFuture
        return commands
    }

    /// Sorting keeps the order of equals, so that the proposals come in one order everywhere.
    private mutating func sortIn() {
        guard !added.isEmpty else { return }
        timers = (timers.reversed() + added).sorted { $0.due < $1.due }.reversed()
        added.removeAll()
    }
}
