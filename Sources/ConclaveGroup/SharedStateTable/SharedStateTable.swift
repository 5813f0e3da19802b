package import ConclaveBase

/// One row of numbers that only grow, and a ring of messages, for each member of an epoch. Only
/// the own row is written here; peers' rows are copies that their owners write (`receive`).
///
/// Since values only grow, a row that is seen late shows an older truth, never a false one; every
/// predicate on the table relies on that. Memory is taken when touched, not at the start.
@safe
package final class SharedStateTable {
    package let layout: RowLayout
    package let own: Int
    private let memory: UnsafeMutableRawBufferPointer

    package init(layout: RowLayout, own: Rank) {
        precondition((0..<layout.memberCount).contains(own.index))
        self.layout = layout
        self.own = own.index
        unsafe memory = UnsafeMutableRawBufferPointer.allocate(
            byteCount: layout.rowByteCount * layout.memberCount, alignment: 64)
        for row in 0..<layout.memberCount {
            let start = row * layout.rowByteCount
            unsafe memory[start..<(start + layout.ring)].initializeMemory(
                as: UInt8.self, repeating: 0)
            for slot in 0..<layout.slotCount { clearSlot(slot, row: row) }
        }
    }

    deinit {
        unsafe memory.deallocate()
    }

    package func value(row: Int, at offset: Int) -> UInt64 {
        precondition(row < layout.memberCount && offset + 8 <= layout.rowByteCount)
        return unsafe UInt64(
            littleEndian: memory.load(
                fromByteOffset: row * layout.rowByteCount + offset, as: UInt64.self))
    }

    /// Raises a number of the own row. Pushing it to the others is the caller's to do.
    package func advance(_ offset: Int, to value: UInt64) {
        let before = self.value(row: own, at: offset)
        precondition(value >= before, "a number at \(offset) would fall from \(before) to \(value)")
        store(value, at: offset)
    }

    /// Sets a number of the own row that may fall, too. Pushing it to the others is the caller's to do.
    package func set(_ offset: Int, to value: UInt64) {
        store(value, at: offset)
    }

    /// Copies a peer's write to its place in that peer's row.
    ///
    /// - Returns: False if it does not fit into a row: nothing was copied.
    package func receive(_ bytes: [UInt8], row: Int, offset: Int) -> Bool {
        precondition(row < layout.memberCount && row != own)
        guard offset >= 0, offset <= layout.rowByteCount,
            bytes.count <= layout.rowByteCount - offset
        else { return false }
        let start = row * layout.rowByteCount + offset
        unsafe bytes.withUnsafeBytes { source in
            unsafe UnsafeMutableRawBufferPointer(rebasing: memory[start...]).copyMemory(
                from: source)
        }
        return true
    }

    /// A range of the own row, to be copied to a peer at once.
    package func withOwn(_ range: Range<Int>, _ body: (UnsafeRawBufferPointer) -> Void) {
        precondition(range.lowerBound >= 0 && range.upperBound <= layout.rowByteCount)
        let start = own * layout.rowByteCount
        unsafe body(
            UnsafeRawBufferPointer(
                rebasing: memory[(start + range.lowerBound)..<(start + range.upperBound)]))
    }

    /// Fills the slot of `index` in the own row.
    ///
    /// - Returns: The range that was written.
    package func fillSlot(
        index: UInt64, timestamp: Timestamp, payload: [UInt8]
    ) -> Range<Int> {
        let count = payload.count
        precondition(count <= layout.slotByteCount, "a payload of \(count) does not fit a slot")
        let slot = layout.slot(of: index)
        store(~index, at: slot)
        store(timestamp.microseconds, at: slot + 8)
        store(UInt64(count), at: slot + 16)
        let start = own * layout.rowByteCount + slot + RowLayout.slotHeaderByteCount
        unsafe payload.withUnsafeBytes {
            unsafe UnsafeMutableRawBufferPointer(rebasing: memory[start..<(start + count)])
                .copyMemory(from: $0)
        }
        return slot..<(slot + RowLayout.slotHeaderByteCount + count)
    }

    /// Whether `row` has a message, not a null, at `index` (V5).
    package func carries(_ index: UInt64, row: Int) -> Bool {
        value(row: row, at: layout.slot(of: index)) == ~index
    }

    /// The message of `row` at `index`, or nil if its length cannot be.
    ///
    /// - Precondition: `carries(index, row: row)`.
    package func message(_ index: UInt64, row: Int) -> (timestamp: Timestamp, payload: [UInt8])? {
        let slot = layout.slot(of: index)
        let timestamp = Timestamp(microseconds: value(row: row, at: slot + 8))
        let count = value(row: row, at: slot + 16)
        guard count <= UInt64(layout.slotByteCount) else { return nil }
        let start = row * layout.rowByteCount + slot + RowLayout.slotHeaderByteCount
        let payload = unsafe [UInt8](memory[start..<(start + Int(count))])
        return (timestamp, payload)
    }

    private func clearSlot(_ slot: Int, row: Int) {
        let offset = row * layout.rowByteCount + layout.ring + slot * layout.slotStride
        unsafe memory.storeBytes(of: 0, toByteOffset: offset, as: UInt64.self)
    }

    private func store(_ value: UInt64, at offset: Int) {
        unsafe memory.storeBytes(
            of: value.littleEndian, toByteOffset: own * layout.rowByteCount + offset,
            as: UInt64.self)
    }
}
