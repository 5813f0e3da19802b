import DequeModule

/// Who waits for a share of a turn, in the order of coming. Those whose connections take nothing are
/// passed over until they do.
///
/// A place may be that of somebody who is gone: whoever takes it looks.
struct TurnLine: Sendable {
    struct Place: Sendable {
        let id: Subscriptions.Subscriber
        /// Tells apart who came with the same number, one after the other.
        let serial: UInt64
    }

    private var waiting: Deque<Place> = []
    private var parked: [ConnectionID: [Place]] = [:]

    var isEmpty: Bool { waiting.isEmpty }
    var count: Int { waiting.count }

    mutating func append(_ place: Place) {
        waiting.append(place)
    }

    mutating func append(_ places: some Sequence<Place>) {
        waiting += places
    }

    /// The first leaves the line; `nil`: nobody waits.
    mutating func next() -> Place? { waiting.popFirst() }

    /// Its connection takes nothing.
    mutating func park(_ place: Place) {
        parked[place.id.connection, default: []].append(place)
    }

    /// The connection takes something again.
    mutating func unpark(_ connection: ConnectionID) {
        waiting += parked.removeValue(forKey: connection) ?? []
    }

    /// Somebody is gone. Who is not parked keeps the place, until it is taken.
    mutating func leave(_ id: Subscriptions.Subscriber) {
        parked[id.connection]?.removeAll { $0.id == id }
    }

    mutating func closed(_ connection: ConnectionID) {
        parked[connection] = nil
    }
}
