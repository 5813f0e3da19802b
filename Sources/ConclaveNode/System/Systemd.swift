import CConclaveSystemd
import ConclaveBase
import ConclaveReactor
import Glibc

/// What systemd is told, and what it passed. Without systemd every call does nothing.
final class Systemd {
    /// How often a sign of life is due; nothing without a watchdog.
    let watchdogInterval: Interval?
    private var lastSign: Instant?
    private var isReady = false
    private var status = ""

    init() {
        var microseconds: UInt64 = 0
        let isWatching = unsafe conclave_systemd_watchdog(&microseconds) > 0
        // A third: one that comes late is not yet the end.
        watchdogInterval =
            isWatching ? .microseconds(Int64(clamping: microseconds)) / 3 : nil
    }

    /// When `turned` wants to be called at the latest.
    var nextSign: Instant {
        guard let watchdogInterval else { return .distantFuture }
        return lastSign?.advanced(by: watchdogInterval) ?? .distantPast
    }

    /// The loop turned.
    func turned(now: Instant) {
        guard watchdogInterval != nil, nextSign <= now else { return }
        lastSign = now
        notify("WATCHDOG=1")
    }

    /// READY is said once, with the first state of serving.
    func show(isServing: Bool, status: String) {
        let becomesReady = isServing && !isReady
        guard becomesReady || status != self.status else { return }
        self.status = status
        isReady = isReady || becomesReady
        notify((becomesReady ? "READY=1\n" : "") + "STATUS=\(status)")
    }

    func stopping() {
        notify("STOPPING=1\nSTATUS=stopping")
    }

    /// The listening socket that was passed, if one was.
    static func takeListener() -> Descriptor? {
        let count = conclave_systemd_take_descriptors()
        guard count > 0 else { return nil }
        let first = Int32(CONCLAVE_SYSTEMD_FIRST_DESCRIPTOR)
        for number in first..<(first + count)
        where conclave_systemd_is_listening_unix_stream(number) > 0 {
            // It is shared with the service manager, which does not need it to block.
            _ = fcntl(number, F_SETFL, fcntl(number, F_GETFL) | O_NONBLOCK)
            return Descriptor(owning: number)
        }
        return nil
    }

    private func notify(_ state: String) {
        _ = unsafe conclave_systemd_notify(state)
    }
}
