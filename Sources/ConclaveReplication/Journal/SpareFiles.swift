import ConclaveBase

/// Files of segments that a snapshot has made unnecessary, to become segments again: they have their
/// size and their place on the disk already, which costs no writing of zeros, and no room (V29).
///
/// What they hold is never taken for new: the checksum of a batch covers the number of its segment,
/// and a file only becomes a segment of a higher number than it ever had.
struct SpareFiles {
    private static let prefix = "spare-"
    static let maximumCount = 2

    /// Numbers of the segments that they were, lowest first.
    private var numbers: [UInt64] = []

    /// Whether it is one of them, by its name.
    static func number(of file: String) -> UInt64? {
        guard file.hasPrefix(prefix), let number = UInt64(file.dropFirst(prefix.count)),
            name(number) == file
        else { return nil }
        return number
    }

    private static func name(_ number: UInt64) -> String { "\(prefix)\(number)" }

    /// Keeps those that a process before left, and that are as large as a segment is to be.
    mutating func find(on disk: any Disk, byteCount: Int) {
        for number in ((try? disk.list()) ?? []).compactMap(Self.number(of:)).sorted() {
            let isFit = (try? disk.byteCount(of: Self.name(number))) == byteCount
            if isFit, numbers.count < Self.maximumCount {
                numbers.append(number)
            } else {
                disk.submit(.remove(Self.name(number)), lane: .snapshots, tag: 0)
            }
        }
    }

    /// Takes the file of a segment that is not needed any more, or removes it. One of the same number
    /// may be left of another history, which counted its segments as well: it gives way.
    mutating func put(_ segment: SegmentJournal.Segment, byteCount: Int, on disk: any Disk) {
        let file = SegmentFormat.name(segment.number)
        let isReplaced = numbers.contains(segment.number)
        guard segment.byteCount == byteCount, isReplaced || numbers.count < Self.maximumCount
        else {
            return disk.submit(.remove(file), lane: .snapshots, tag: 0)
        }
        disk.submit(
            .rename(file, to: Self.name(segment.number)), lane: .snapshots, tag: 0)
        if !isReplaced { numbers.append(segment.number) }
    }

    /// Gives one of them the name of a new segment; false if there is none that may have it.
    mutating func take(as number: UInt64, on disk: any Disk) -> Bool {
        guard let index = numbers.firstIndex(where: { $0 < number }) else { return false }
        let old = numbers.remove(at: index)
        disk.submit(
            .rename(Self.name(old), to: SegmentFormat.name(number)), lane: .snapshots, tag: 0)
        return true
    }
}
