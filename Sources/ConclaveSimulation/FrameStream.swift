import ConclaveBase

/// The frames of one kind on their way in one direction of one connection: in order, each with the
/// moment it arrives.
final class FrameStream {
    private var frames: [(arrival: Moment, frame: FabricFrame)] = []
    private var first = 0
    /// No frame arrives before the one ahead of it.
    private(set) var lastArrival = Moment.start
    /// Whether the arrival of the first frame is on the timeline.
    var isScheduled = false
    /// Until the next attempt to get through a cut.
    var retryAfter = Interval.zero
    /// When the oldest byte that nobody acknowledged was first in trouble.
    var stuckSince = Moment.never

    var isEmpty: Bool { first == frames.count }

    var nextArrival: Moment? { isEmpty ? nil : frames[first].arrival }

    /// Empties the stream for a new connection, on which nothing arrives before `moment`.
    func reset(notBefore moment: Moment) {
        frames.removeAll(keepingCapacity: true)
        first = 0
        lastArrival = moment
        isScheduled = false
        retryAfter = .zero
        stuckSince = .never
    }

    func append(_ frame: FabricFrame, arrival: Moment) {
        lastArrival = max(lastArrival, arrival)
        frames.append((lastArrival, frame))
    }

    /// Loses everything behind the first `count` frames.
    func truncate(to count: Int) {
        frames.removeLast(max(0, frames.count - first - count))
    }

    var count: Int { frames.count - first }

    /// Takes out the first frame if it has arrived at `now`.
    func next(at now: Moment) -> FabricFrame? {
        guard first < frames.count, frames[first].arrival <= now else { return nil }
        let frame = frames[first].frame
        first += 1
        if first == frames.count {
            frames.removeAll(keepingCapacity: true)
            first = 0
        } else if first >= 256 {
            frames.removeFirst(first)
            first = 0
        }
        return frame
    }
}
