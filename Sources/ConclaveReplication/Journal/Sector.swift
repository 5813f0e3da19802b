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
}
