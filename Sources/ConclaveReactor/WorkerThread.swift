import CConclaveLinux
import Glibc

/// A thread of the operating system that runs one function to its end. It receives no signals.
package final class WorkerThread {
    private final class Start {
        let body: @Sendable () -> Void
        let name: String

        init(name: String, body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }
    }

    private var thread: pthread_t?

    /// - Parameter name: At most 15 bytes of it are shown by the system.
    package init(name: String, body: @escaping @Sendable () -> Void) throws(SystemError) {
        let start = unsafe Unmanaged.passRetained(Start(name: name, body: body))
        var previous: UInt64 = 0
        _ = unsafe conclave_linux_signals_replace(.max, &previous)
        var thread = pthread_t()
        let number = unsafe pthread_create(
            &thread, nil,
            { argument in
                unsafe WorkerThread.run(argument)
                return nil
            }, start.toOpaque())
        var ignored: UInt64 = 0
        _ = unsafe conclave_linux_signals_replace(previous, &ignored)
        guard number == 0 else {
            unsafe start.release()
            throw SystemError(call: "pthread_create", number: number)
        }
        self.thread = thread
    }

    deinit {
        if let thread { _ = pthread_detach(thread) }
    }

    /// Waits until the function has returned.
    package func join() {
        guard let thread else { return }
        _ = pthread_join(thread, nil)
        self.thread = nil
    }

    private static func run(_ argument: UnsafeMutableRawPointer?) {
        guard let argument = unsafe argument else { return }
        let start = unsafe Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
        _ = unsafe conclave_linux_name_thread(start.name)
        start.body()
    }
}
