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

    /// What one connection follows, by the numbers of its requests.
    private struct Followed {
        let uid: UInt32
        var subjects: [UInt64: Subject] = [:]
    }

    /// With the number of each one's place in the order.
    private var subscribers: [Subject: [Subscriber: UInt64]] = [:]
    private var lastPlace: UInt64 = 0
    /// Nothing is kept of a connection that follows nothing.
    private var followed: [ConnectionID: Followed] = [:]
    private var countsByUID: [UInt32: Int] = [:]

    var isEmpty: Bool { subscribers.isEmpty && followed.isEmpty && countsByUID.isEmpty }

    func count(of connection: ConnectionID) -> Int { followed[connection]?.subjects.count ?? 0 }

    func count(ofUID uid: UInt32) -> Int { countsByUID[uid] ?? 0 }

    func subscribers(of subject: Subject) -> [Subscriber] {
        (subscribers[subject] ?? [:]).sorted { $0.value < $1.value }.map(\.key)
    }

    func hasSubscriber(of subject: Subject) -> Bool { subscribers[subject] != nil }

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
        followed[connection, default: Followed(uid: uid)].subjects[number] = subject
        countsByUID[uid, default: 0] += 1
        lastPlace += 1
        let subscriber = Subscriber(connection: connection, number: number)
        subscribers[subject, default: [:]][subscriber] = lastPlace
    }

    mutating func remove(_ connection: ConnectionID, _ number: UInt64) {
        guard let subject = followed[connection]?.subjects.removeValue(forKey: number),
            let rest = followed[connection]
        else { return }
        if rest.subjects.isEmpty { followed[connection] = nil }
        let count = count(ofUID: rest.uid)
        countsByUID[rest.uid] = count > 1 ? count - 1 : nil
        let subscriber = Subscriber(connection: connection, number: number)
        subscribers[subject]?[subscriber] = nil
        if subscribers[subject]?.isEmpty == true { subscribers[subject] = nil }
    }

    mutating func removeAll(of connection: ConnectionID) {
        for number in followed[connection]?.subjects.keys.sorted() ?? [] {
            remove(connection, number)
        }
    }
}
