import ConclaveBase
import ConclaveGroup
import Testing

/// The members of one epoch without a network: what is pushed is copied from row to row.
struct TestEpoch {
    static let payloadByteCount = 32

    let view: View
    var members: [Multicast]
    /// Everything delivered at each member.
    var delivered: [[OrderedMessage]]
    /// Pairs (from, to) whose writes wait.
    var isHeld: Set<[Int]> = []
    private var waiting: [[Int]: [(offset: Int, bytes: [UInt8])]] = [:]

    init(count: Int, slotCount: Int = 4, plant: Plant? = nil) {
        view = View(
            epoch: Epoch(1),
            members: (1...count).map {
                Member(node: NodeID(UInt32($0)), incarnation: Incarnation(UInt64($0)))
            })
        let settings = MulticastSettings(
            slotCount: slotCount, slotByteCount: Self.payloadByteCount, plant: plant)
        let view = view
        members = (0..<count).map { Multicast(view: view, own: Rank($0), settings: settings) }
        delivered = Array(repeating: [], count: count)
    }

    mutating func send(_ text: String, from rank: Int) {
        _ = members[rank].send(Array(text.utf8), timestamp: Timestamp(microseconds: 1))
    }

    /// Data first, the counters in a later write (V3).
    mutating func push(from rank: Int) {
        var ranges = members[rank].dirtySlots
        if members[rank].countersAreDirty { ranges.append(members[rank].counters) }
        members[rank].pushed()
        for other in members.indices where other != rank {
            for range in ranges { write(range, from: rank, to: other) }
        }
    }

    mutating func write(_ range: Range<Int>, from rank: Int, to other: Int) {
        var bytes: [UInt8] = []
        members[rank].table.withOwn(range) { bytes = Array($0) }
        waiting[[rank, other], default: []].append((range.lowerBound, bytes))
        if !isHeld.contains([rank, other]) { release(from: rank, to: other) }
    }

    mutating func release(from rank: Int, to other: Int) {
        isHeld.remove([rank, other])
        let writes = waiting.removeValue(forKey: [rank, other]) ?? []
        for (offset, bytes) in writes {
            #expect(members[other].table.receive(bytes, row: rank, offset: offset))
        }
    }

    /// One turn, and a heartbeat: look, answer with nulls, acknowledge, deliver, push.
    mutating func turn(_ rank: Int, acknowledges: Bool = true, delivers: Bool = true) {
        var found: [OrderedMessage] = []
        for other in members.indices where other != rank {
            let isWhole = members[rank].scan(other, into: &found)
            #expect(isWhole)
        }
        members[rank].sendNulls()
        if acknowledges { members[rank].acknowledge(members[rank].received) }
        if delivers { members[rank].deliver(into: &delivered[rank]) }
        members[rank].beat()
        push(from: rank)
    }

    mutating func turns(_ count: Int = 3) {
        for _ in 0..<count { for rank in members.indices { turn(rank) } }
    }

    func texts(_ rank: Int) -> [String] {
        delivered[rank].map { String(decoding: $0.payload, as: UTF8.self) }
    }
}
