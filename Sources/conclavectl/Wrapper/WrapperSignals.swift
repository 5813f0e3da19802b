import CConclaveLinux
import Glibc

/// The signals that a wrapper handles itself, as a descriptor. They must be blocked before the
/// first thread is started, or that one would be ended by them.
struct WrapperSignals {
    /// What is passed on to the command, and ends the waiting.
    static let forwarded: Set<Int32> = [SIGINT, SIGTERM, SIGHUP, SIGQUIT]

    let descriptor: Int32

    init() {
        var signals = Self.forwarded.union([SIGCHLD])
        // Under nohup a terminal that goes away ends neither this program nor its command.
        if Self.isIgnored(SIGHUP) { signals.remove(SIGHUP) }
        let handled = signals.reduce(UInt64(0)) { $0 | Self.bit($1) }
        // Taking the terminal back from the background must not stop this program.
        conclave_linux_signals_block(handled | Self.bit(SIGTTOU))
        descriptor = conclave_linux_signal_create(handled)
    }

    private static func isIgnored(_ signal: Int32) -> Bool {
        var action = sigaction()
        guard unsafe sigaction(signal, nil, &action) == 0 else { return false }
        // The address of no function stands for ignoring.
        let handler = unsafe unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self)
        return handler == 1
    }

    private static func bit(_ signal: Int32) -> UInt64 { 1 << UInt64(signal - 1) }

    /// Whether one that ends the waiting comes within that time.
    func wait(milliseconds: Int32) -> Bool {
        let end = ContinuousClock.now.advanced(by: .milliseconds(milliseconds))
        while ContinuousClock.now < end {
            let rest = (end - ContinuousClock.now).milliseconds + 1
            waitUntilReadable([descriptor], milliseconds: Int32(clamping: rest))
            if !Self.forwarded.isDisjoint(with: take()) { return true }
        }
        return false
    }

    /// Those that wait, without waiting.
    func take() -> [Int32] {
        var signals: [Int32] = []
        while true {
            let signal = conclave_linux_signal_read(descriptor)
            guard signal > 0 else { return signals }
            signals.append(signal)
        }
    }
}
