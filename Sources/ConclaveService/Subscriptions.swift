import ConclaveBase

/// Who follows the views of the group, in the order of subscribing.
struct Subscriptions {
    struct Subscriber: Hashable {
        let connection: ConnectionID
        /// Of the request that subscribed; events carry it.
        let number: UInt64
    }

    /// With the number of each one's place in the order.
    private var places: [Subscriber: UInt64] = [:]
    private var lastPlace: UInt64 = 0
    /// Nothing is kept of a connection that follows nothing.
    private var numbers: [ConnectionID: Set<UInt64>] = [:]
    private var uids: [ConnectionID: UInt32] = [:]
    private var countsByUID: [UInt32: Int] = [:]

    var isEmpty: Bool { places.isEmpty && numbers.isEmpty && uids.isEmpty && countsByUID.isEmpty }

    func count(of connection: ConnectionID) -> Int { numbers[connection]?.count ?? 0 }

    func count(ofUID uid: UInt32) -> Int { countsByUID[uid] ?? 0 }

    var all: [Subscriber] { places.sorted { $0.value < $1.value }.map(\.key) }

    mutating func add(_ subscriber: Subscriber, uid: UInt32) {
        remove(subscriber)
        numbers[subscriber.connection, default: []].insert(subscriber.number)
        uids[subscriber.connection] = uid
        countsByUID[uid, default: 0] += 1
        lastPlace += 1
        places[subscriber] = lastPlace
    }

    mutating func remove(_ subscriber: Subscriber) {
        let connection = subscriber.connection
        guard places.removeValue(forKey: subscriber) != nil, let uid = uids[connection] else {
            return
        }
        let count = count(ofUID: uid)
        countsByUID[uid] = count > 1 ? count - 1 : nil
        numbers[connection]?.remove(subscriber.number)
        guard numbers[connection]?.isEmpty == true else { return }
        numbers[connection] = nil
        uids[connection] = nil
    }

    mutating func removeAll(of connection: ConnectionID) {
        for number in (numbers[connection] ?? []).sorted() {
            remove(Subscriber(connection: connection, number: number))
        }
    }
}
