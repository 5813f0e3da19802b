import ConclaveBase
import ConclaveGroup

/// Target `row-writes`: peers that write anything into their rows. Nothing traps, and what is
/// delivered all the same goes on in the total order and without a gap in any sender's messages.
struct RowWrites {
    /// More steps than this are not taken of one input, so that each run is short.
    private static let maximumSteps = 96

    private var source: ByteSource
    private let view: View
    private let own: Rank
    private let multicast: Multicast
    private let pulse: Pulse
    private var now = Instant(nanoseconds: 1_000_000)
    private var lastPosition: UInt64?
    private var deliveredCounts: [UInt64]

    static func run(_ bytes: [UInt8]) {
        var writes = RowWrites(ByteSource(bytes))
        writes.run()
    }

    private init(_ source: ByteSource) {
        var source = source
        let count = 2 + source.choice(of: 3)
        view = View(
            epoch: Epoch(1),
            members: (1...UInt32(count)).map {
                Member(node: NodeID($0), incarnation: Incarnation(1))
            })
        own = Rank(source.choice(of: count))
        multicast = Multicast(
            view: view, own: own,
            settings: MulticastSettings(
                slotCount: [1, 4, 16][source.choice(of: 3)], slotByteCount: 24))
        pulse = Pulse(table: multicast.table, quorum: view.quorum, now: now)
        deliveredCounts = Array(repeating: 0, count: count)
        self.source = source
    }

    private var table: SharedStateTable { multicast.table }
    private var layout: RowLayout { multicast.table.layout }

    private mutating func run() {
        for _ in 0..<Self.maximumSteps where !source.isEmpty { step() }
        let held = multicast.undelivered()
        var rest = held
        _ = rest.deliver(below: held.vector)
        _ = rest.messages(of: own.index, in: 0..<(.max))
    }

    private mutating func step() {
        switch source.choice(of: 12) {
        case 0: writeAnything()
        case 1, 2: writeNumber()
        case 3: sendHonestly(as: peer())
        case 4: acknowledgeHonestly(as: peer())
        case 5, 6: scan(peer())
        case 7:
            guard multicast.canSend else { return }
            let payload = source.bytes(source.choice(of: 25))
            _ = multicast.send(payload, timestamp: Timestamp(microseconds: source.word()))
        case 8:
            multicast.sendNulls()
            multicast.acknowledge(multicast.received)
        case 9: deliver()
        case 10:
            pulse.beat(now: now, wallClock: Timestamp(microseconds: source.word()))
            _ = pulse.confirmed(now: now)
        default:
            now = now.advanced(by: .milliseconds(Int64(source.byte())))
            for rank in view.members.indices {
                _ = multicast.isBehind(rank)
                _ = multicast.progress(of: rank)
            }
            multicast.pushed()
        }
    }

    private mutating func peer() -> Int {
        let rank = source.choice(of: view.members.count - 1)
        return rank < own.index ? rank : rank + 1
    }

    private mutating func writeAnything() {
        let row = peer()
        let offset = Int(source.byte()) << 8 | Int(source.byte())
        let count = source.flag() ? Int(source.byte()) : 8
        let fits = table.receive(source.bytes(count), row: row, offset: offset - 16)
        demand(!fits || offset >= 16, "a write before the row was taken")
    }

    private mutating func writeNumber() {
        let row = peer()
        let slot = layout.slot(of: UInt64(source.choice(of: layout.slotCount)))
        let columns = [
            layout.sent, layout.messages, layout.delivered, layout.heartbeat, layout.wallClock,
            layout.echo(own.index), layout.acked(own.index), layout.acked(row), slot, slot + 8,
            slot + 16,
        ]
        let offset = source.pick(columns)
        let before = table.value(row: row, at: offset)
        let value = source.number(near: [
            before, table.value(row: own.index, at: offset), before &+ 2, ~UInt64(0),
            now.nanoseconds,
        ])
        write(value, row: row, at: offset)
    }

    private func write(_ value: UInt64, row: Int, at offset: Int) {
        let bytes = (0..<8).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
        demand(table.receive(bytes, row: row, offset: offset), "a number does not fit a row")
    }

    private mutating func sendHonestly(as rank: Int) {
        let index = table.value(row: rank, at: layout.sent)
        let slot = layout.slot(of: index)
        if source.flag() {
            write(~index, row: rank, at: slot)
            write(now.nanoseconds, row: rank, at: slot + 8)
            write(UInt64(source.choice(of: 25)), row: rank, at: slot + 16)
            let messages = table.value(row: rank, at: layout.messages)
            write(messages &+ 1, row: rank, at: layout.messages)
        }
        write(index &+ 1, row: rank, at: layout.sent)
    }

    private func acknowledgeHonestly(as rank: Int) {
        for sender in view.members.indices {
            write(multicast.received[sender], row: rank, at: layout.acked(sender))
        }
        let delivered = table.value(row: own.index, at: layout.delivered)
        write(delivered, row: rank, at: layout.delivered)
    }

    private mutating func scan(_ rank: Int) {
        pulse.scan(rank, now: now)
        var found: [OrderedMessage] = []
        var expected = multicast.received[rank]
        guard multicast.scan(rank, into: &found) else {
            return demand(found.isEmpty, "messages were taken from a row that was refused")
        }
        for message in found {
            demand(message.ordinal == expected, "a message was passed over")
            expected += 1
        }
    }

    private mutating func deliver() {
        var output: [OrderedMessage] = []
        multicast.deliver(into: &output)
        for message in output {
            let position = message.position(memberCount: view.members.count)
            demand(lastPosition.map { $0 < position } ?? true, "the order goes back")
            lastPosition = position
            demand(message.ordinal == deliveredCounts[message.sender], "a gap")
            deliveredCounts[message.sender] += 1
        }
    }
}
