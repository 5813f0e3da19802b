/// Where each column of a row lies. The same for every row of an epoch, on every member; all
/// numbers are little-endian and eight bytes long.
///
///      0           8      16            16+8n  24+8n      32+8n         32+16n
///      +-----------+------+-------------+------+----------+-------------+-----------+------
///      | heartbeat | wall | echo[n]     | sent | messages | acked[n]    | delivered | ring
///      +-----------+------+-------------+------+----------+-------------+-----------+------
///      |<----------- pulse ------------>|<----------- counters -------------------->|
///
/// The ring has `slotCount` slots: the complement of the index (so that fresh memory holds none:
/// an empty slot carries the index 2^64-1), timestamp, length, payload.
package struct RowLayout: Equatable, Sendable {
    package static let slotHeaderByteCount = 24

    package let memberCount: Int
    package let slotCount: Int
    /// Payload bytes of one slot.
    package let slotByteCount: Int

    package init(memberCount: Int, slotCount: Int, slotByteCount: Int) {
        precondition(memberCount > 0 && slotCount > 0 && slotByteCount > 0)
        self.memberCount = memberCount
        self.slotCount = slotCount
        self.slotByteCount = (slotByteCount + 7) & ~7
    }

    package let heartbeat = 0
    package let wallClock = 8

    package func echo(_ rank: Int) -> Int { 16 + 8 * rank }

    package var pulse: Range<Int> { 0..<sent }

    package var sent: Int { 16 + 8 * memberCount }
    package var messages: Int { 24 + 8 * memberCount }

    package func acked(_ rank: Int) -> Int { 32 + 8 * memberCount + 8 * rank }

    package var delivered: Int { 32 + 16 * memberCount }

    package var counters: Range<Int> { sent..<ring }

    package var ring: Int { 40 + 16 * memberCount }

    package var slotStride: Int { Self.slotHeaderByteCount + slotByteCount }

    /// The slot in which the message of that index lies.
    package func slot(of index: UInt64) -> Int {
        ring + Int(index % UInt64(slotCount)) * slotStride
    }

    package var rowByteCount: Int { ring + slotCount * slotStride }
}
