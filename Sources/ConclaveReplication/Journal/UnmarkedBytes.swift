/// Bytes of a segment that a start has read, and that no mark says to be on the disk: they may be in
/// the page cache alone. After a failed sync they stay there, and a later one succeeds without writing
/// them; so a start writes them again, the same bytes to the same place (V31).
struct UnmarkedBytes {
    let segment: UInt64
    let offset: Int
    /// As they were read: what is read again may come from the disk, without them.
    let bytes: ArraySlice<UInt8>

    /// `bytes` are part of the whole of the file, from whose beginning their indices count.
    init(in bytes: ArraySlice<UInt8>, of segment: UInt64) {
        self.segment = segment
        offset = bytes.startIndex
        self.bytes = bytes
    }
}
