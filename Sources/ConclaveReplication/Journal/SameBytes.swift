extension [UInt8] {
    /// Whether all of these lie at `offset` in `bytes`: files are compared as a whole, many bytes a step.
    ///
    /// - Precondition: They end within `bytes`.
    func lie(at offset: Int, in bytes: [UInt8]) -> Bool {
        precondition(offset >= 0 && count <= bytes.count - offset)
        let blocksEnd = count & ~63
        var difference = SIMD8<UInt64>()
        unsafe withUnsafeBytes { some in
            unsafe bytes.withUnsafeBytes { bytes in
                for place in stride(from: 0, to: blocksEnd, by: 64) {
                    let one = unsafe some.loadUnaligned(
                        fromByteOffset: place, as: SIMD8<UInt64>.self)
                    let other = unsafe bytes.loadUnaligned(
                        fromByteOffset: offset + place, as: SIMD8<UInt64>.self)
                    difference |= one ^ other
                }
            }
        }
        return difference == SIMD8()
            && self[blocksEnd...].elementsEqual(bytes[offset + blocksEnd..<offset + count])
    }
}
