package import ConclaveBase

/// What is in one file: the image that every process reads, and, by sector, what a power loss may
/// bring back.
package struct SimulatedFile {
    package static let sectorByteCount = 512
    /// Images kept of one sector; beyond that the second oldest goes.
    private static let imageLimit = 4

    /// What a sector held after the write of that number; the first one is on the disk.
    private struct Image {
        var write: UInt64
        var bytes: ArraySlice<UInt8>
    }

    package private(set) var bytes: [UInt8] = []
    private(set) var syncedByteCount = 0
    /// When the size was changed last.
    private var sizeWrite: UInt64 = 0
    /// By sector: what it held since the last sync; nothing where that is what is on the disk.
    private var images: [[Image]] = []
    /// The sectors that differ from what is on the disk, or may, in no order.
    private var unsynced: [Int] = []
    /// Sectors that cannot be read before they are written again.
    private var unreadable: Set<Int> = []

    package init(byteCount: Int, write: UInt64) {
        bytes = Array(repeating: 0, count: byteCount)
        sizeWrite = write
    }

    /// `write` is the number of this write among all of the disk.
    package mutating func write(_ new: [UInt8], at offset: Int, write: UInt64) {
        guard !new.isEmpty else { return }
        let end = offset + new.count
        let sectors = offset / Self.sectorByteCount...(end - 1) / Self.sectorByteCount
        keepSynced(sectors)
        if end > bytes.count {
            bytes.append(contentsOf: repeatElement(0, count: end - bytes.count))
            sizeWrite = write
        }
        bytes.replaceSubrange(offset..<end, with: new)
        if !unreadable.isEmpty { unreadable.subtract(sectors) }
        let written = range(of: sectors)
        let copy = written == offset..<end ? new : Array(bytes[written])
        for sector in sectors {
            images[sector].append(
                Image(write: write, bytes: part(of: copy, from: written.lowerBound, sector)))
            if images[sector].count > Self.imageLimit { images[sector].remove(at: 1) }
        }
    }

    /// Remembers of sectors that are going to be written what is on the disk. One copy for all of
    /// them, so that the file's own array stays unshared.
    private mutating func keepSynced(_ sectors: ClosedRange<Int>) {
        while images.count <= sectors.upperBound { images.append([]) }
        guard sectors.contains(where: { images[$0].isEmpty }) else { return }
        let kept = range(of: sectors)
        let copy = Array(bytes[kept])
        for sector in sectors where images[sector].isEmpty {
            images[sector].append(
                Image(write: 0, bytes: part(of: copy, from: kept.lowerBound, sector)))
            unsynced.append(sector)
        }
    }

    /// Where the bytes of `sectors` are, as far as the file has them.
    private func range(of sectors: ClosedRange<Int>) -> Range<Int> {
        let start = min(sectors.lowerBound * Self.sectorByteCount, bytes.count)
        return start..<min((sectors.upperBound + 1) * Self.sectorByteCount, bytes.count)
    }

    /// What `copy`, which begins at `start` of the file, has of a sector.
    private func part(of copy: [UInt8], from start: Int, _ sector: Int) -> ArraySlice<UInt8> {
        let range = range(of: sector...sector)
        return copy[range.lowerBound - start..<range.upperBound - start]
    }

    /// At most `count` bytes from `offset`; nil: some of them cannot be read.
    func read(at offset: Int, count: Int) -> [UInt8]? {
        let start = min(offset, bytes.count)
        let range = start..<min(bytes.count, start + count)
        guard isReadable(range) else { return nil }
        return range == bytes.indices ? bytes : Array(bytes[range])
    }

    /// A sync that started after the write numbered `last` has ended.
    package mutating func markSynced(upTo last: UInt64) {
        if sizeWrite <= last { syncedByteCount = bytes.count }
        unsynced.removeAll { sector in
            let synced = images[sector].lastIndex { $0.write <= last } ?? 0
            guard synced + 1 < images[sector].count else {
                images[sector] = []
                return true
            }
            images[sector].removeFirst(synced)
            return false
        }
    }

    /// A sync failed: what was written since the one before is gone.
    package mutating func dropUnsynced() {
        for sector in unsynced { restore(images[sector][0], to: sector) }
        forgetImages()
        resize(to: syncedByteCount)
    }

    /// The power goes: every sector keeps any one of the images it had since the last sync.
    package mutating func losePower(_ random: inout SeededRandom) {
        let manner = random.below(4)
        for sector in unsynced.sorted() {
            let count = images[sector].count
            let index =
                switch manner {
                case 0: 0
                case 1: count - 1
                default: Int(random.below(UInt64(count)))
                }
            restore(images[sector][index], to: sector)
        }
        forgetImages()
        if manner == 0 || (manner > 1 && random.chance(perMille: 500)) {
            resize(to: syncedByteCount)
        }
        syncedByteCount = bytes.count
    }

    private mutating func forgetImages() {
        for sector in unsynced { images[sector] = [] }
        unsynced.removeAll()
    }

    // MARK: - Damage

    /// Sectors with something in them that is on the disk for certain.
    private var usedSectors: [Int] {
        stride(from: 0, to: bytes.count, by: Self.sectorByteCount).lazy
            .map { $0 / Self.sectorByteCount }
            .filter { sector in
                let isSynced = sector >= images.count || images[sector].isEmpty
                return isSynced && bytes[range(of: sector...sector)].contains { $0 != 0 }
            }
    }

    /// One of the used sectors; more often one of the last.
    private func anyUsedSector(_ random: inout SeededRandom) -> Int? {
        let used = usedSectors
        guard !used.isEmpty else { return nil }
        let range = random.chance(perMille: 600) ? min(4, used.count) : used.count
        return used[used.count - 1 - Int(random.below(UInt64(range)))]
    }

    /// Some of it cannot be read.
    var hasUnreadable: Bool { !unreadable.isEmpty }

    /// Whether all of `range` can be read.
    func isReadable(_ range: Range<Int>) -> Bool {
        unreadable.allSatisfy { sector in
            let start = sector * Self.sectorByteCount
            return start >= range.upperBound || start + Self.sectorByteCount <= range.lowerBound
        }
    }

    /// Some bytes of a sector change, on the disk as well; `sector` is nil for any one in use.
    mutating func rot(sector: Int? = nil, _ random: inout SeededRandom) {
        guard let sector = sector ?? anyUsedSector(&random) else { return }
        let start = sector * Self.sectorByteCount
        guard start < bytes.count else { return }
        // A record in a sector begins with it, so that its first bytes always matter.
        for _ in 0..<(1 + random.below(4)) {
            let place = random.below(UInt64(min(16, bytes.count - start)))
            bytes[start + Int(place)] ^= UInt8(1 + random.below(255))
        }
    }

    mutating func makeUnreadable(_ random: inout SeededRandom) {
        guard let sector = anyUsedSector(&random) else { return }
        unreadable.insert(sector)
    }

    private mutating func restore(_ image: Image, to sector: Int) {
        let start = sector * Self.sectorByteCount
        bytes.replaceSubrange(start..<start + image.bytes.count, with: image.bytes)
        let end = min(start + Self.sectorByteCount, bytes.count)
        // What the file did not have yet reads as zeros.
        for index in min(end, start + image.bytes.count)..<end { bytes[index] = 0 }
    }

    private mutating func resize(to byteCount: Int) {
        if byteCount < bytes.count {
            bytes.removeLast(bytes.count - byteCount)
        } else if byteCount > bytes.count {
            bytes.append(contentsOf: repeatElement(0, count: byteCount - bytes.count))
        }
    }
}
