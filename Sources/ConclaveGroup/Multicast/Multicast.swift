package import ConclaveBase

/// Ordered multicast inside one epoch, from this member's place.
///
/// With n senders, message i of rank k has position i*n + k, and delivery is in order of position.
/// A message is delivered once every member of the view has acknowledged it (V9), so that whatever
/// left a daemon is held by all. All state is in the table and in the counters here; effects are
/// ranges of the own row to push, in this order: slots, then counters (V3).
package final class Multicast {
    package let table: SharedStateTable
    let layout: RowLayout
    /// What of a row is pushed together.
    package let counters: Range<Int>
    package let pulse: Range<Int>
    let own: Int
    let memberCount: Int
    let settings: MulticastSettings

    /// Indexes of the own ring that were used, nulls included; and messages among them.
    var sent: UInt64 = 0
    var messages: UInt64 = 0
    /// For each own slot, one more than the index it holds; 0: empty.
    var slotUse: [UInt64]

    /// For each sender: how many indexes were looked at, and how many messages were among them.
    var scanned: [UInt64]
    package internal(set) var received: [UInt64]

    /// The next position to deliver, and how many messages of each sender were delivered.
    var position: UInt64 = 0
    package internal(set) var delivered: [UInt64]
    /// One more than the highest position at which a message was seen.
    var highest: UInt64 = 0

    /// What of the own row has changed since the last push.
    package internal(set) var dirtySlots: [Range<Int>] = []
    package internal(set) var countersAreDirty = false
    /// The counters have changed in what nobody waits for: that goes along with what somebody does
    /// wait for, or with the next heartbeat.
    var countersCanWait = false
    /// Up to where the others know that this member has delivered.
    var toldPosition: UInt64 = 0
    /// Ranges of slots filled in this epoch, for a peer that becomes ready late (V2).
    var filledSlots: [Range<Int>]

    package init(view: View, own: Rank, settings: MulticastSettings) {
        memberCount = view.members.count
        layout = RowLayout(
            memberCount: memberCount, slotCount: settings.slotCount,
            slotByteCount: settings.slotByteCount)
        counters = layout.counters
        pulse = layout.pulse
        table = SharedStateTable(layout: layout, own: own)
        self.own = own.index
        self.settings = settings
        slotUse = Array(repeating: 0, count: settings.slotCount)
        filledSlots = Array(repeating: 0..<0, count: settings.slotCount)
        scanned = Array(repeating: 0, count: memberCount)
        received = Array(repeating: 0, count: memberCount)
        delivered = Array(repeating: 0, count: memberCount)
    }

    package var slotByteCount: Int { layout.slotByteCount }

    /// Raises what this member acknowledges of each sender (V8).
    package func acknowledge(_ vector: [UInt64]) {
        for sender in 0..<memberCount
        where vector[sender] > table.value(row: own, at: layout.acked(sender)) {
            table.advance(layout.acked(sender), to: vector[sender])
            countersAreDirty = true
        }
    }

    package func acknowledged(by rank: Int, of sender: Int) -> UInt64 {
        table.value(row: rank, at: layout.acked(sender))
    }

    /// A heartbeat is due: whatever has waited goes with it.
    package func beat() {
        if countersCanWait { countersAreDirty = true }
    }

    /// Forgets what was to be pushed, after it was.
    package func pushed() {
        dirtySlots.removeAll(keepingCapacity: true)
        guard countersAreDirty else { return }
        countersAreDirty = false
        countersCanWait = false
        toldPosition = position
    }

    /// Everything a peer needs that becomes ready now: slots, then counters. Nothing has been
    /// delivered everywhere before all are ready, so no slot was reused.
    package var wholeRow: [Range<Int>] {
        filledSlots.filter { !$0.isEmpty } + [layout.counters]
    }

}

/// The sizes of an epoch's rings, and a planted bug for the simulator to find.
package struct MulticastSettings: Equatable, Sendable {
    package var slotCount: Int
    package var slotByteCount: Int
    package var plant: Plant?

    package init(slotCount: Int, slotByteCount: Int, plant: Plant? = nil) {
        self.slotCount = slotCount
        self.slotByteCount = slotByteCount
        self.plant = plant
    }
}
