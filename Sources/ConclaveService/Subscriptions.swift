import ConclaveBase

/// Who follows what. In each list the order is that of subscribing.
struct Subscriptions {
    struct Subscriber: Hashable {
        let connection: ConnectionID
        /// Of the request that subscribed; events carry it.
        let number: UInt64
    }

    enum Subject: Hashable {
        case views
        case leader(ObjectName)
    }

    /// With the number of each one's place in the order.
    private var subscribers: [Subject: [Subscriber: UInt64]] = [:]
    private var lastPlace: UInt64 = 0
    private var subjects: [ConnectionID: [UInt64: Subject]] = [:]
    private var uids: [ConnectionID: UInt32] = [:]
    private var countsByUID: [UInt32: Int] = [:]

    func count(of connection: ConnectionID) -> Int { subjects[connection]?.count ?? 0 }

    func subscribers(of subject: Subject) -> [Subscriber] {
        (subscribers[subject] ?? [:]).sorted { $0.value < $1.value }.map(\.key)
    }

    func hasSubscriber(of subject: Subject) -> Bool { subscribers[subject] != nil }

    func count(ofUID uid: UInt32) -> Int { countsByUID[uid] ?? 0 }

    /// Slots that somebody observes, by name.
    var observedSlots: [ObjectName] {
        subscribers.keys.compactMap { subject in
            if case .leader(let slot) = subject { slot } else { nil }
        }.sorted()
    }

    mutating func add(
        _ subject: Subject, _ connection: ConnectionID, _ number: UInt64, uid: UInt32
    ) {
        remove(connection, number)
        uids[connection] = uid
        countsByUID[uid, default: 0] += 1
        subjects[connection, default: [:]][number] = subject
        lastPlace += 1
        let subscriber = Subscriber(connection: connection, number: number)
        subscribers[subject, default: [:]][subscriber] = lastPlace
    }

    mutating func remove(_ connection: ConnectionID, _ number: UInt64) {
        guard let subject = subjects[connection]?.removeValue(forKey: number) else { return }
        if let uid = uids[connection], let count = countsByUID[uid] {
            countsByUID[uid] = count > 1 ? count - 1 : nil
        }
        let subscriber = Subscriber(connection: connection, number: number)
        subscribers[subject]?[subscriber] = nil
        if subscribers[subject]?.isEmpty == true { subscribers[subject] = nil }
    }

    mutating func removeAll(of connection: ConnectionID) {
        for number in (subjects[connection] ?? [:]).keys.sorted() { remove(connection, number) }
        subjects[connection] = nil
        uids[connection] = nil
    }
}
