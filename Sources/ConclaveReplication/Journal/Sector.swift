import ConclaveBase

/// Everything in the journal begins at a multiple of the sector, so that what follows a damaged
/// record is found again.
enum Sector {
    static let byteCount = 512

    static func roundUp(_ count: Int) -> Int {
        (count + byteCount - 1) / byteCount * byteCount
    }

    /// Zeros, in one piece: a writer of another module takes them at once, not byte by byte.
    static func padding(_ count: Int) -> [UInt8] {
        Array(repeating: 0, count: count)
    }

    /// Whether nothing was ever written there. All is looked at, with as many bytes at once as the machine
    /// takes: most of a new file is that.
    static func isZero(_ bytes: ArraySlice<UInt8>) -> Bool {
        unsafe bytes.withUnsafeBufferPointer { unsafe $0.reduce(0, |) == 0 }
    }

    /// Where the first sector at `offset` or behind it lies that begins with `magic`; nil: none does.
    ///
    /// - Precondition: A sector begins at `offset`.
    static func next(_ magic: UInt32, in bytes: [UInt8], from offset: Int) -> Int? {
        unsafe bytes.withUnsafeBytes { bytes in
            stride(from: offset, through: bytes.count - 4, by: byteCount).first { start in
                let word = unsafe bytes.loadUnaligned(fromByteOffset: start, as: UInt32.self)
                return UInt32(littleEndian: word) == magic
            }
        }
    }
}
