package import ConclaveBase

/// What is in one file: the image that every process reads, and what a power loss may bring back of
/// each sector.
package struct SimulatedFile {
    package static let sectorByteCount = 512
    /// Images kept of one sector; beyond that the second oldest goes.
    private static let imageLimit = 4

    /// What sectors held after the write of that number; the first one is on the disk.
    private struct Image {
        var write: UInt64
        /// Less than the sectors take where the file ended.
        var bytes: ArraySlice<UInt8>

        /// What it has of some sectors, counted from its own first one.
        func part(_ sectors: Range<Int>) -> Image {
            let start = bytes.startIndex + min(sectors.lowerBound * sectorByteCount, bytes.count)
            let end = bytes.startIndex + min(sectors.upperBound * sectorByteCount, bytes.count)
            return Image(write: write, bytes: bytes[start..<end])
        }
    }

    /// Sectors side by side that were written together each time since the last sync.
    private struct Stretch {
        var sectors: Range<Int>
        var images: [Image]

        func part(_ part: Range<Int>) -> Stretch {
            let range = part.lowerBound - sectors.lowerBound..<part.upperBound - sectors.lowerBound
            return Stretch(sectors: part, images: images.map { $0.part(range) })
        }
    }

    package private(set) var bytes: [UInt8] = []
    private(set) var syncedByteCount = 0
    /// When the size was changed last.
    private var sizeWrite: UInt64 = 0
    /// What differs from what is on the disk, or may, in the order of the sectors.
    private var unsynced: [Stretch] = []
    /// A sync of all writes up to that number has failed: those that are not on the disk count as
    /// written there all the same.
    private var failedWrite: UInt64 = 0
    /// The newest write behind the first sector that a sync has taken to the disk, and where it begins.
    private(set) var newestSynced: (write: UInt64, sector: Int) = (0, 0)
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
        let sectors = offset / Self.sectorByteCount..<(end - 1) / Self.sectorByteCount + 1
        keepSynced(sectors)
        if end > bytes.count {
            bytes.append(contentsOf: repeatElement(0, count: end - bytes.count))
            sizeWrite = write
        }
        let isWhole = new.count == bytes.count
        if isWhole { bytes = new } else { bytes.replaceSubrange(offset..<end, with: new) }
        if !unreadable.isEmpty { unreadable.subtract(sectors) }
        let written = range(of: sectors)
        let image = Image(
            write: write, bytes: written == offset..<end ? new[...] : copy(of: written))
        for place in unsynced.indices where sectors.overlaps(unsynced[place].sectors) {
            let part = unsynced[place].sectors
            unsynced[place].images.append(
                image.part(
                    part.lowerBound - sectors.lowerBound..<part.upperBound - sectors.lowerBound))
            if unsynced[place].images.count > Self.imageLimit {
                unsynced[place].images.remove(at: 1)
            }
        }
    }

    /// Remembers of sectors that are going to be written what is on the disk.
    private mutating func keepSynced(_ sectors: Range<Int>) {
        split(at: sectors.lowerBound)
        split(at: sectors.upperBound)
        var place =
            unsynced.firstIndex { $0.sectors.lowerBound >= sectors.lowerBound }
            ?? unsynced.count
        var next = sectors.lowerBound
        while next < sectors.upperBound {
            let known = place < unsynced.count ? unsynced[place].sectors.lowerBound : .max
            if known > next {
                let gap = next..<min(known, sectors.upperBound)
                let image = Image(write: 0, bytes: copy(of: range(of: gap)))
                unsynced.insert(Stretch(sectors: gap, images: [image]), at: place)
            }
            next = unsynced[place].sectors.upperBound
            place += 1
        }
    }

    /// No stretch has sectors on both sides of where `sector` begins.
    private mutating func split(at sector: Int) {
        let place = unsynced.firstIndex {
            $0.sectors.lowerBound < sector && $0.sectors.upperBound > sector
        }
        guard let place else { return }
        let whole = unsynced[place]
        unsynced[place] = whole.part(whole.sectors.lowerBound..<sector)
        unsynced.insert(whole.part(sector..<whole.sectors.upperBound), at: place + 1)
    }

    /// Where the bytes of `sectors` are, as far as the file has them.
    private func range(of sectors: Range<Int>) -> Range<Int> {
        let start = min(sectors.lowerBound * Self.sectorByteCount, bytes.count)
        return start..<min(sectors.upperBound * Self.sectorByteCount, bytes.count)
    }

    /// A copy, so that the file's own array stays unshared; of all of it, the array itself: who
    /// writes the whole file copies nothing.
    private func copy(of range: Range<Int>) -> ArraySlice<UInt8> {
        range == bytes.indices ? bytes[...] : ArraySlice(Array(bytes[range]))
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
        guard last > failedWrite else { return }
        let written = failedWrite + 1...last
        if written.contains(sizeWrite) { syncedByteCount = bytes.count }
        for place in unsynced.indices {
            let synced = unsynced[place].images.lastIndex { written.contains($0.write) } ?? 0
            unsynced[place].images.removeFirst(synced)
            let (write, sector) = (
                unsynced[place].images[0].write, unsynced[place].sectors.lowerBound
            )
            if synced > 0, sector > 0, write > newestSynced.write { newestSynced = (write, sector) }
        }
        unsynced.removeAll { $0.images.count == 1 }
    }

    /// A sync that started after the write numbered `last` has failed, as it does on ext4 and XFS:
    /// what was written is read as before, as long as the host has power, and no later sync takes it
    /// to the disk before it is written again. Parts of it may be there.
    package mutating func keepUnsynced(upTo last: UInt64) {
        failedWrite = max(failedWrite, last)
    }

    /// A sync failed, as it does on btrfs: what was written since the one before is gone.
    package mutating func dropUnsynced() {
        for stretch in unsynced { restore(stretch.images[0], to: stretch.sectors) }
        unsynced.removeAll()
        resize(to: syncedByteCount)
    }

    /// The power goes: every sector keeps any one of the images it had since the last sync.
    package mutating func losePower(_ random: inout SeededRandom) {
        let manner = random.below(4)
        for stretch in unsynced {
            for (place, sector) in stretch.sectors.enumerated() {
                let index =
                    switch manner {
                    case 0: 0
                    case 1: stretch.images.count - 1
                    default: Int(random.below(UInt64(stretch.images.count)))
                    }
                let image = stretch.images[index].part(place..<place + 1)
                restore(image, to: sector..<sector + 1)
            }
        }
        unsynced.removeAll()
        if manner == 0 || (manner > 1 && random.chance(perMille: 500)) {
            resize(to: syncedByteCount)
        }
        syncedByteCount = bytes.count
    }

    // MARK: - Damage

    /// Sectors with something in them that is on the disk for certain.
    private var usedSectors: [Int] {
        stride(from: 0, to: bytes.count, by: Self.sectorByteCount).lazy
            .map { $0 / Self.sectorByteCount }
            .filter { sector in
                let isSynced = !unsynced.contains { $0.sectors.contains(sector) }
                return isSynced && bytes[range(of: sector..<sector + 1)].contains { $0 != 0 }
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

    private mutating func restore(_ image: Image, to sectors: Range<Int>) {
        let start = sectors.lowerBound * Self.sectorByteCount
        bytes.replaceSubrange(start..<start + image.bytes.count, with: image.bytes)
        let end = min(sectors.upperBound * Self.sectorByteCount, bytes.count)
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
