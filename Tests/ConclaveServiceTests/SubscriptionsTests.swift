import ConclaveBase
import Testing

@testable import ConclaveService

@Suite struct `Who follows what` {
    private let one = ConnectionID(number: 1)
    private let two = ConnectionID(number: 2)
    private let slot: ObjectName
    private let leader: Subscriptions.Subject

    init() throws {
        slot = try ObjectName("a")
        leader = .leader(slot)
    }

    @Test func `are told in the order in which they were made`() {
        var all = Subscriptions()
        for number in [7, 3, 5] as [UInt64] { all.add(leader, one, number, uid: 1_000) }
        all.add(leader, two, 1, uid: 2_000)
        all.remove(one, 3)
        #expect(all.subscribers(of: leader).map(\.number) == [7, 5, 1])
        #expect(all.observedSlots == [slot])
    }

    /// Connections come and go without end.
    @Test func `leave nothing behind, whether they end one by one or with their connection`() {
        var all = Subscriptions()
        for connection in [one, two] {
            all.add(.views, connection, 1, uid: 1_000)
            all.add(leader, connection, 2, uid: 1_000)
            // The same number again takes the place of what it was.
            all.add(.views, connection, 2, uid: 1_000)
        }
        #expect(all.count(ofUID: 1_000) == 4 && all.count(of: one) == 2)
        #expect(!all.hasSubscriber(of: leader))
        for number in [1, 2, 9] as [UInt64] { all.remove(one, number) }
        #expect(all.count(ofUID: 1_000) == 2)
        all.removeAll(of: two)
        #expect(all.isEmpty)
    }
}
