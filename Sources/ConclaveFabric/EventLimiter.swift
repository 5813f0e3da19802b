import ConclaveBase
import ConclaveReactor

/// Lets the same event about the same peer through once in a while, and counts the others, so that
/// neither a broken configuration nor a stranger can fill the log.
struct EventLimiter {
    private struct Entry {
        var node: NodeID?
        var address: SocketAddress
        var kind: Int
        var quietUntil: Instant
        var suppressedCount: Int
    }

    /// A stranger with many addresses may make others' events be told again, never use up memory.
    private static let maximumEntryCount = 256

    private let interval: Interval
    private var entries: [Entry] = []

    init(interval: Interval) {
        self.interval = interval
    }

    /// The event with its count, if it is to be told.
    mutating func admit(_ event: FabricEvent, now: Instant) -> FabricEvent? {
        guard let index = index(of: event) else {
            if entries.count == Self.maximumEntryCount { entries.removeFirst() }
            entries.append(
                Entry(
                    node: event.node, address: event.address, kind: event.what.kind,
                    quietUntil: now.advanced(by: interval), suppressedCount: 0))
            return event
        }
        guard entries[index].quietUntil <= now else {
            entries[index].suppressedCount += 1
            return nil
        }
        var told = event
        told.suppressedCount = entries[index].suppressedCount
        entries[index].suppressedCount = 0
        entries[index].quietUntil = now.advanced(by: interval)
        return told
    }

    private func index(of event: FabricEvent) -> Int? {
        entries.firstIndex { entry in
            guard entry.kind == event.what.kind, entry.node == event.node else { return false }
            return event.node != nil || entry.address.hasSameHost(as: event.address)
        }
    }
}

extension FabricEvent.What {
    /// A number for each case: events alike differ in nothing that the limiter looks at.
    fileprivate var kind: Int {
        switch self {
        case .refused(.numberTaken): 10
        case .refused: 0
        case .refusedByPeer: 1
        case .broken: 2
        case .lost: 3
        case .strangerDropped: 4
        case .dialFailed: 5
        case .replaced: 6
        case .acceptFailed: 7
        case .controlTooLong: 8
        case .addressUnknown: 9
        case .numberTaken: 11
        }
    }
}
