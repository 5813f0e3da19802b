import Testing

@testable import work_queue

@Suite struct `The queue that members share` {
    private func queue(of items: ClosedRange<UInt64>, workers: [UInt64]) -> SharedQueue {
        var queue = SharedQueue()
        for item in items { queue.apply(.item(text: "item \(item)"), at: item) }
        queue.install(view: 1, workers: workers)
        return queue
    }

    @Test func `is the same for whom it was handed to, whatever its items say`() throws {
        var queue = SharedQueue()
        for (item, text) in [(7, "3 2 1"), (9, ""), (12, "žluť\n\0 7"), (40, "last")] {
            queue.apply(.item(text: text), at: UInt64(item))
        }
        #expect(try SharedQueue(queue.bytes) == queue)
        #expect(try SharedQueue([]) == SharedQueue())
    }

    @Test(arguments: ["x", "7", "7 ", "7 4 abc", "7 -1 ", "7 99999999999999999999 a"])
    func `is not taken from what is none`(bytes: String) {
        #expect(throws: Failure.self) { try SharedQueue(Array(bytes.utf8)) }
    }

    @Test func `has no item that is done`() {
        var queue = queue(of: 1...3, workers: [10])
        queue.apply(.done(item: 2), at: 4)
        #expect(queue.open.keys.sorted() == [1, 3])
        #expect(queue.next(for: 10)?.item == 1)
    }

    @Test func `gives each of those that have it a share, and a newcomer some of each`() {
        let before = queue(of: 1...300, workers: [10, 20])
        let after = queue(of: 1...300, workers: [10, 20, 30])
        var moved: Set<UInt64> = []
        for item in UInt64(1)...300 where before.worker(of: item) != after.worker(of: item) {
            #expect(after.worker(of: item) == 30)
            moved.insert(before.worker(of: item)!)
        }
        #expect(moved == [10, 20])
        #expect(after.next(for: 30) != nil && after.next(for: 40) == nil)
        #expect(SharedQueue().worker(of: 1) == nil)
    }
}
