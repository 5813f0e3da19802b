package import ConclaveBase

/// The connections between the daemons of all hosts.
///
/// A pair of hosts has at most one connection. Each of its two ends learns of its beginning and its
/// end by itself; each direction has two streams, one for control frames and one for row writes,
/// that keep their own order but none between each other. A cut holds frames back as a
/// retransmitting transport does: when the direction heals in time they arrive, late; else an end
/// gives up. When a connection breaks, each stream loses everything from some point on.
package final class SimulatedNetwork {
    enum EndState {
        case closed
        /// Accepted, but its process has not been told.
        case opening
        case open
    }

    /// One host's end of its connection to a peer.
    final class End {
        var state = EndState.closed
        var connection: UInt32 = 0
        /// For how long it lets its bytes go unacknowledged.
        var patience = Interval.zero
        /// When it is told that the connection is open.
        var openAt = Moment.start
    }

    /// One direction between two hosts.
    final class Direction {
        var cutCount = 0
        var rowsToLose = 0
        var profile = LinkProfile.near

        var isCut: Bool { cutCount > 0 }
    }

    final class Pair {
        var connection: UInt32 = 0
        var dialSerial: UInt32 = 0
        var backoff = Interval.zero
    }

    final class Host {
        var hasPower = true
        /// The process that runs there.
        var process: Member?
        var lineage = Lineage.none
        /// Histories that were given up for it.
        var givenUp: [Lineage] = []
        /// Which hosts its process takes connections from, and makes them to.
        var known: [Bool]
        /// What it sends leaves no sooner.
        var heldUntil = Moment.start

        init(hostCount: Int) {
            known = Array(repeating: true, count: hostCount)
        }
    }

    package let hostCount: Int
    let timeline: Timeline
    let inboxes: [Inbox]
    var random: SeededRandom
    // Objects: each number is changed where it lies, without taking hold of all of its kind.
    let hosts: [Host]
    let ends: [End]
    let streams: [FrameStream]
    let directions: [Direction]
    let pairs: [Pair]

    static let firstBackoff = Interval.milliseconds(10)
    static let lastBackoff = Interval.seconds(1)

    package init(inboxes: [Inbox], timeline: Timeline, random: SeededRandom) {
        hostCount = inboxes.count
        precondition(hostCount <= 64, "stream numbers are 16 bits")
        self.inboxes = inboxes
        self.timeline = timeline
        self.random = random
        let count = hostCount
        hosts = (0..<count).map { _ in Host(hostCount: count) }
        ends = (0..<count * count).map { _ in End() }
        streams = (0..<2 * count * count).map { _ in FrameStream() }
        directions = (0..<count * count).map { _ in Direction() }
        pairs = (0..<count * count).map { _ in Pair() }
    }

    /// The end of `host` towards `peer`, which is also the direction from it.
    func end(of host: Int, to peer: Int) -> Int { host * hostCount + peer }

    func owner(ofEnd end: Int) -> Int { end / hostCount }

    func opposite(_ end: Int) -> Int { end % hostCount * hostCount + end / hostCount }

    func pair(_ one: Int, _ other: Int) -> Int {
        min(one, other) * hostCount + max(one, other)
    }

    /// Whether both ends of the two hosts are told that they are connected.
    package func isConnected(_ one: Int, _ other: Int) -> Bool {
        ends[end(of: one, to: other)].state == .open
            && ends[end(of: other, to: one)].state == .open
    }

    /// The number of their connection; 0: they have none that both know of.
    func connection(_ one: Int, _ other: Int) -> UInt32 {
        isConnected(one, other) ? pairs[pair(one, other)].connection : 0
    }

    /// The streams that `end` sends on.
    func outgoing(_ end: Int) -> Range<Int> { 2 * end..<2 * end + 2 }

    package func step(_ event: SimulationEvent) {
        switch event {
        case .arrival(let stream, let connection):
            arrive(stream: Int(stream), connection: connection)
        case .established(let end, let connection):
            establish(end: Int(end), connection: connection)
        case .broken(let end, let connection):
            learnOfBreak(end: Int(end), connection: connection)
        case .giveUp(let end, let connection):
            giveUp(end: Int(end), connection: connection)
        case .dial(let pair, let serial):
            dial(pair: Int(pair), serial: serial)
        default:
            preconditionFailure("not of the network: \(event)")
        }
    }
}
