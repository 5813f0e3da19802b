import ConclaveBase
import ConclaveSimulation
import Testing

@Suite struct `Event queue` {
    private var queue = EventQueue<Int>()

    private mutating func drain(until limit: Moment = .never) -> [Int] {
        var events: [Int] = []
        while let next = queue.next(until: limit) { events.append(next.event) }
        return events
    }

    @Test mutating func `events come by time, and in the order scheduled within one time`() {
        var random = SeededRandom(seed: 7)
        var expected: [(time: UInt64, event: Int)] = []
        for event in 0..<500 {
            let time = random.below(50)
            expected.append((time, event))
            queue.schedule(event, at: Moment(nanoseconds: time))
        }
        expected.sort { ($0.time, $0.event) < ($1.time, $1.event) }

        #expect(drain() == expected.map(\.event))
    }

    @Test mutating func `events after the limit stay`() {
        queue.schedule(2, at: Moment(nanoseconds: 20))
        queue.schedule(1, at: Moment(nanoseconds: 10))

        #expect(drain(until: Moment(nanoseconds: 10)) == [1])
        #expect(queue.nextTime == Moment(nanoseconds: 20))
        #expect(drain() == [2])
    }

    @Test mutating func `events scheduled while draining take their place`() {
        queue.schedule(3, at: Moment(nanoseconds: 30))
        queue.schedule(1, at: Moment(nanoseconds: 10))
        #expect(queue.next(until: .never)?.event == 1)
        queue.schedule(2, at: Moment(nanoseconds: 20))

        #expect(drain() == [2, 3])
    }
}
