/// What will happen, by time; what is due at the same time happens in the order it was scheduled.
///
/// A binary heap of small values without references, so that moving them costs no counting.
package struct EventQueue<Event: BitwiseCopyable> {
    private struct Entry: BitwiseCopyable {
        var time: Moment
        var sequence: UInt64
        var event: Event

        func isBefore(_ other: Entry) -> Bool {
            time == other.time ? sequence < other.sequence : time < other.time
        }
    }

    private var heap: [Entry] = []
    private var scheduledCount: UInt64 = 0

    package init() {}

    package var count: Int { heap.count }

    package var nextTime: Moment? { heap.first?.time }

    package mutating func schedule(_ event: Event, at time: Moment) {
        scheduledCount += 1
        let entry = Entry(time: time, sequence: scheduledCount, event: event)
        heap.append(entry)
        var hole = heap.count - 1
        while hole > 0 {
            let parent = (hole - 1) / 2
            guard entry.isBefore(heap[parent]) else { break }
            heap[hole] = heap[parent]
            hole = parent
        }
        heap[hole] = entry
    }

    /// Takes out the earliest event, if it is due at `limit` or before.
    package mutating func next(until limit: Moment) -> (time: Moment, event: Event)? {
        guard let first = heap.first, first.time <= limit else { return nil }
        let last = heap.removeLast()
        if !heap.isEmpty { sink(last) }
        return (first.time, first.event)
    }

    /// Puts `entry` in the place of the root and lets it go down to where it belongs.
    private mutating func sink(_ entry: Entry) {
        var hole = 0
        while true {
            var child = 2 * hole + 1
            guard child < heap.count else { break }
            if child + 1 < heap.count, heap[child + 1].isBefore(heap[child]) { child += 1 }
            guard heap[child].isBefore(entry) else { break }
            heap[hole] = heap[child]
            hole = child
        }
        heap[hole] = entry
    }
}
