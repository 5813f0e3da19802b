import CConclaveLinux
import ConclaveBase
import Glibc
import Synchronization

/// The one thread that a process using this library has from it: it reads from the daemon, watches
/// deadlines and wakes who waits. It sleeps while nothing happens and never ends.
///
/// It is started by the first connection; a process that forks after that has no reader in the
/// child, which is why using the library on both sides of a fork is not supported.
final class Reader: Sendable {
    /// - Throws: what the kernel refused when the reader was started; it stays refused.
    static func shared() throws(SystemError) -> Reader {
        switch started {
        case .success(let reader): return reader
        case .failure(let error): throw error
        }
    }

    private static let started = Result { () throws(SystemError) in try Reader() }

    private struct Registry {
        var sessions: [UInt64: ClientSession] = [:]
        /// By `ClientSocket.number`.
        var sockets: [UInt64: ClientSession] = [:]
    }

    private static let timerTag: UInt64 = 0

    private let epoll: Int32
    private let timer: Int32
    private let registry = Mutex(Registry())
    /// When the timer goes off; it is only moved forward while the lock is held, so that no earlier
    /// wish is forgotten.
    private let armed = Mutex(Instant.distantFuture)
    private let lastNumber = Atomic<UInt64>(0)

    private init() throws(SystemError) {
        epoll = try SystemError.check(conclave_linux_epoll_create())
        timer = try SystemError.check(conclave_linux_timer_create())
        _ = try SystemError.check(
            conclave_linux_epoll_add(
                epoll, timer, UInt32(CONCLAVE_LINUX_READABLE), Self.timerTag))
        try start()
    }

    /// A number that was never given out before, and is not zero.
    func nextNumber() -> UInt64 {
        lastNumber.wrappingAdd(1, ordering: .relaxed).newValue
    }

    func add(_ session: ClientSession) {
        registry.withLock { $0.sessions[session.number] = session }
    }

    func remove(_ session: ClientSession) {
        _ = registry.withLock { $0.sessions.removeValue(forKey: session.number) }
    }

    func add(_ socket: ClientSocket, of session: ClientSession) throws(SystemError) {
        registry.withLock { $0.sockets[socket.number] = session }
        do {
            _ = try SystemError.check(
                conclave_linux_epoll_add(
                    epoll, socket.descriptor, UInt32(CONCLAVE_LINUX_READABLE), socket.number))
        } catch {
            remove(socket)
            throw error
        }
    }

    func remove(_ socket: ClientSocket) {
        conclave_linux_epoll_remove(epoll, socket.descriptor)
        _ = registry.withLock { $0.sockets.removeValue(forKey: socket.number) }
    }

    /// Whether the session wants to hear that the socket takes bytes again.
    func watch(_ socket: ClientSocket, writable: Bool) {
        let events = CONCLAVE_LINUX_READABLE | (writable ? CONCLAVE_LINUX_WRITABLE : 0)
        conclave_linux_epoll_modify(
            epoll, socket.descriptor, UInt32(events), socket.number)
    }

    /// Sees to it that the sessions are ticked at `instant` at the latest.
    func wake(at instant: Instant) {
        armed.withLock { armed in
            guard instant < armed else { return }
            armed = instant
            conclave_linux_timer_set(timer, max(1, instant.nanoseconds))
        }
    }

    private func start() throws(SystemError) {
        // Signals are the program's own affair: none is ever handled on this thread.
        var previous: UInt64 = 0
        _ = unsafe try SystemError.check(conclave_linux_signals_replace(~0, &previous))
        defer { unsafe conclave_linux_signals_replace(previous, &previous) }
        var thread = pthread_t()
        let context = unsafe Unmanaged.passRetained(self).toOpaque()
        let result = unsafe pthread_create(
            &thread, nil,
            { context in
                unsafe Unmanaged<Reader>.fromOpaque(context!).takeRetainedValue().run()
            }, context)
        guard result == 0 else { throw SystemError(number: result) }
        pthread_detach(thread)
    }

    private func run() -> Never {
        var events = [conclave_linux_event](
            repeating: conclave_linux_event(), count: Int(CONCLAVE_LINUX_EVENT_BATCH))
        while true {
            let count = unsafe conclave_linux_epoll_wait(epoll, &events, Int32(events.count), -1)
            for event in events.prefix(Int(max(0, count))) {
                if event.tag == Self.timerTag {
                    timerWentOff()
                } else {
                    deliver(event)
                }
            }
        }
    }

    private func deliver(_ event: conclave_linux_event) {
        let session = registry.withLock { $0.sockets[event.tag] }
        guard let session else { return }
        if event.events & UInt32(CONCLAVE_LINUX_WRITABLE) != 0 {
            session.isWritable(socket: event.tag)
        }
        if event.events & ~UInt32(CONCLAVE_LINUX_WRITABLE) != 0 {
            session.isReadable(socket: event.tag)
        }
    }

    private func timerWentOff() {
        conclave_linux_timer_clear(timer)
        armed.withLock { $0 = .distantFuture }
        let now = BootClock.now
        let sessions = registry.withLock { Array($0.sessions.values) }
        for session in sessions {
            if session.nextTick <= now { session.tick() } else { wake(at: session.nextTick) }
        }
    }
}
