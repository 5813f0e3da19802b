import CConclaveLinux
import Synchronization

/// What tasks have to say to the main thread, which sleeps in `poll` on the descriptor.
final class Inbox<Message: Sendable>: Sendable {
    /// Readable while messages wait.
    let descriptor: Int32
    private let messages = Mutex<[Message]>([])

    init() {
        descriptor = conclave_linux_event_create(0)
        precondition(descriptor >= 0, "no descriptor is left")
    }

    func send(_ message: Message) {
        messages.withLock { $0.append(message) }
        conclave_linux_event_signal(descriptor)
    }

    /// Everything that waits, oldest first.
    func take() -> [Message] {
        conclave_linux_event_clear(descriptor)
        return messages.withLock { messages in
            defer { messages.removeAll() }
            return messages
        }
    }
}
