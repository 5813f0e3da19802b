import ConclaveReactor
import Synchronization

/// The descriptors of files that were used lately, by name.
///
/// A lane that renames or removes a file drops its name before and after the call, so that no other
/// lane keeps what the name meant before. The lock is never held during a call to the disk: lanes
/// do not wait for each other.
final class OpenFiles: Sendable {
    private struct Entry {
        var name: String
        var descriptor: Descriptor
    }

    private static let maximumCount = 16

    /// The one used last is at the end.
    private let entries = Mutex<[Entry]>([])

    func find(_ name: String) -> Descriptor? {
        entries.withLock { entries in
            guard let index = entries.firstIndex(where: { $0.name == name }) else { return nil }
            if index != entries.count - 1 { entries.append(entries.remove(at: index)) }
            return entries.last?.descriptor
        }
    }

    func put(_ descriptor: Descriptor, as name: String) {
        // Closing may take the disk's time, so what goes is released after the lock.
        let gone = entries.withLock { entries in
            var gone = entries.filter { $0.name == name }
            entries.removeAll { $0.name == name }
            if entries.count == Self.maximumCount { gone.append(entries.removeFirst()) }
            entries.append(Entry(name: name, descriptor: descriptor))
            return gone
        }
        withExtendedLifetime(gone) {}
    }

    /// Forgets the name and gives what was open under it.
    func take(_ name: String) -> Descriptor? {
        entries.withLock { entries in
            guard let index = entries.firstIndex(where: { $0.name == name }) else { return nil }
            return entries.remove(at: index).descriptor
        }
    }

    func drop(_ name: String) {
        _ = take(name)
    }

    func removeAll() {
        let gone = entries.withLock { entries in
            let gone = entries
            entries = []
            return gone
        }
        withExtendedLifetime(gone) {}
    }
}
