package import ConclaveWire

/// Cuts a stream into frames. Whole ones are handed out where they lie in the receive buffer; only
/// one that is not complete yet is copied.
@safe
package final class FrameAssembler {
    @unsafe
    package struct Frame {
        package var header: FrameHeader
        /// Good until the next call.
        package var body: UnsafeRawBufferPointer
    }

    /// Longer frames are refused.
    var maximumBodyByteCount: Int
    private var pending = unsafe UnsafeMutableRawBufferPointer(start: nil, count: 0)
    private var pendingCount = 0

    package init(maximumBodyByteCount: Int) {
        self.maximumBodyByteCount = maximumBodyByteCount
    }

    deinit {
        unsafe pending.deallocate()
    }

    /// The next whole frame, taken off the front of `input`; nil once `input` is used up.
    package func next(from input: inout UnsafeRawBufferPointer) throws(WireError) -> Frame? {
        guard pendingCount == 0 else { return try unsafe continued(from: &input) }
        guard input.count >= FrameHeader.byteCount else {
            unsafe keep(input.count, of: &input, reserving: FrameHeader.byteCount)
            return nil
        }
        let header = try unsafe checked(input)
        let total = FrameHeader.byteCount + header.bodyByteCount
        guard input.count >= total else {
            unsafe keep(input.count, of: &input, reserving: total)
            return nil
        }
        let body = unsafe UnsafeRawBufferPointer(rebasing: input[FrameHeader.byteCount..<total])
        unsafe input = UnsafeRawBufferPointer(rebasing: input[total...])
        return unsafe Frame(header: header, body: body)
    }

    private func continued(
        from input: inout UnsafeRawBufferPointer
    ) throws(WireError) -> Frame? {
        let missing = max(0, FrameHeader.byteCount - pendingCount)
        unsafe keep(
            min(missing, input.count), of: &input, reserving: FrameHeader.byteCount)
        guard pendingCount >= FrameHeader.byteCount else { return nil }
        let header = try unsafe checked(UnsafeRawBufferPointer(pending))
        let total = FrameHeader.byteCount + header.bodyByteCount
        unsafe keep(min(total - pendingCount, input.count), of: &input, reserving: total)
        guard pendingCount == total else { return nil }
        pendingCount = 0
        let body = unsafe UnsafeRawBufferPointer(rebasing: pending[FrameHeader.byteCount..<total])
        return unsafe Frame(header: header, body: body)
    }

    private func checked(_ bytes: UnsafeRawBufferPointer) throws(WireError) -> FrameHeader {
        let header = try unsafe FrameHeader(from: bytes)
        guard header.bodyByteCount <= maximumBodyByteCount else {
            throw .outOfRange(
                field: "length", value: UInt64(header.bodyByteCount + 12),
                maximum: UInt64(maximumBodyByteCount + 12))
        }
        return header
    }

    /// Moves `count` bytes from `input` to what is pending, where `total` will be needed.
    private func keep(
        _ count: Int, of input: inout UnsafeRawBufferPointer, reserving total: Int
    ) {
        if unsafe pending.count < total {
            let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: total, alignment: 16)
            unsafe larger.copyMemory(
                from: UnsafeRawBufferPointer(rebasing: pending[..<pendingCount]))
            unsafe pending.deallocate()
            unsafe pending = larger
        }
        guard count > 0 else { return }
        let target = unsafe UnsafeMutableRawBufferPointer(rebasing: pending[pendingCount...])
        unsafe target.copyMemory(from: UnsafeRawBufferPointer(rebasing: input[..<count]))
        pendingCount += count
        unsafe input = UnsafeRawBufferPointer(rebasing: input[count...])
    }
}
