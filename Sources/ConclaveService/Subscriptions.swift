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

    private var subscribers: [Subject: [Subscriber]] = [:]
    private var subjects: [ConnectionID: [UInt64: Subject]] = [:]

    func count(of connection: ConnectionID) -> Int { subjects[connection]?.count ?? 0 }

    func subscribers(of subject: Subject) -> [Subscriber] { subscribers[subject] ?? [] }

    /// Slots that somebody observes, by name.
    var observedSlots: [ObjectName] {
        subscribers.keys.compactMap { subject in
            if case .leader(let slot) = subject { slot } else { nil }
        }.sorted()
    }

    mutating func add(_ subject: Subject, _ connection: ConnectionID, _ number: UInt64) {
        remove(connection, number)
        subjects[connection, default: [:]][number] = subject
        subscribers[subject, default: []].append(
            Subscriber(connection: connection, number: number))
    }

    mutating func remove(_ connection: ConnectionID, _ number: UInt64) {
        guard let subject = subjects[connection]?.removeValue(forKey: number) else { return }
        let subscriber = Subscriber(connection: connection, number: number)
        subscribers[subject]?.removeAll { $0 == subscriber }
        if subscribers[subject]?.isEmpty == true { subscribers[subject] = nil }
    }

    mutating func removeAll(of connection: ConnectionID) {
        for number in (subjects[connection] ?? [:]).keys.sorted() { remove(connection, number) }
        subjects[connection] = nil
    }
}
