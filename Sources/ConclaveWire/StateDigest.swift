/// A digest of a state that is given as rows, in any order: the sum of the hashes of all rows.
///
/// The same for the same rows on every machine. It finds what went wrong by accident; nobody is
/// kept from making two states of one digest on purpose.
package struct StateDigest: Equatable, Sendable {
    package private(set) var value: UInt64

    package init(_ value: UInt64 = 0) {
        self.value = value
    }

    /// - Precondition: `range` lies within `bytes`.
    package mutating func add(rowOf bytes: [UInt8], in range: Range<Int>) {
        precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count)
        value &+= unsafe bytes.withUnsafeBytes { all in
            unsafe Self.hash(UnsafeRawBufferPointer(rebasing: all[range]))
        }
    }

    private static func hash(_ row: UnsafeRawBufferPointer) -> UInt64 {
        var hash = mixed(UInt64(row.count))
        var offset = 0
        while offset + 8 <= row.count {
            let word = unsafe UInt64(
                littleEndian: row.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
            hash = (hash ^ word) &* 0x9E37_79B9_7F4A_7C15
            hash ^= hash >> 32
            offset += 8
        }
        var last: UInt64 = 0
        while offset < row.count {
            last = unsafe last << 8 | UInt64(row[offset])
            offset += 1
        }
        return mixed(hash ^ last)
    }

    /// The last step of SplitMix64: each bit of the input changes about half of the output's.
    private static func mixed(_ value: UInt64) -> UInt64 {
        var mixed = value &+ 0x9E37_79B9_7F4A_7C15
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
