import CConclaveLinux

/// Told of signals on the reactor's thread.
package protocol SignalHandler: AnyObject {
    func received(signal: Int32)
}

/// Turns signals into calls on the reactor's thread.
///
/// Only threads that are started after it leave these signals alone: make it before any other
/// thread.
package final class SignalSource: ReactorHandler {
    private let descriptor: Descriptor
    private let reactor: Reactor
    private let handler: any SignalHandler
    private var registration: Reactor.Registration?

    /// - Parameter signals: 1 to 64.
    package init(
        _ signals: [Int32], reactor: Reactor, handler: any SignalHandler
    ) throws(SystemError) {
        var mask: UInt64 = 0
        for signal in signals {
            precondition((1...64).contains(signal), "\(signal) is no signal")
            mask |= 1 << UInt64(signal - 1)
        }
        _ = try SystemError.check(conclave_linux_signals_block(mask), "pthread_sigmask")
        descriptor = Descriptor(
            owning: try SystemError.check(conclave_linux_signal_create(mask), "signalfd"))
        self.reactor = reactor
        self.handler = handler
        registration = try reactor.register(descriptor, interest: .readable, handler: self)
    }

    /// Takes the source off the reactor. The signals stay blocked.
    package func close() {
        if let registration { reactor.remove(registration) }
        registration = nil
    }

    package func ready(_ readiness: Readiness) {
        let signal = conclave_linux_signal_read(descriptor.number)
        if signal > 0 { handler.received(signal: signal) }
    }
}
