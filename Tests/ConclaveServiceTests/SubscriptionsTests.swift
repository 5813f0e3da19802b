import ConclaveBase
import Testing

@testable import ConclaveService

@Suite struct `Who follows views` {
    private let one = ConnectionID(number: 1)
    private let two = ConnectionID(number: 2)

    private func subscriber(
        _ connection: ConnectionID, _ number: UInt64
    ) -> Subscriptions.Subscriber {
        Subscriptions.Subscriber(connection: connection, number: number)
    }

    @Test func `is told in the order of coming`() {
        var all = Subscriptions()
        for number in [7, 3, 5] as [UInt64] { all.add(subscriber(one, number), uid: 1_000) }
        all.add(subscriber(two, 1), uid: 2_000)
        all.remove(subscriber(one, 3))
        #expect(all.all.map(\.number) == [7, 5, 1])
    }

    /// Connections come and go without end.
    @Test func `leaves nothing behind, whether it ends one by one or with the connection`() {
        var all = Subscriptions()
        for connection in [one, two] {
            // The same number again takes the place of what it was.
            for number in [1, 2, 2] as [UInt64] {
                all.add(subscriber(connection, number), uid: 1_000)
            }
        }
        #expect(all.count(ofUID: 1_000) == 4 && all.count(of: one) == 2)
        for number in [1, 2, 9] as [UInt64] { all.remove(subscriber(one, number)) }
        #expect(all.count(ofUID: 1_000) == 2)
        all.removeAll(of: two)
        #expect(all.isEmpty)
    }
}
