import ConclaveBase

/// Files in reserve for the next rewriting of the view journal: a member whose disk is full must
/// still be able to start, to promise and to enter a view (V31).
///
/// They are made on the lane of the snapshots, where waiting for room holds up no promise, and only
/// once the rewriting that used the ones before is over.
struct ViewJournalReserve {
    private struct Spare {
        var byteCount: Int
        /// A process before may have written to it.
        var isClean: Bool
    }

    private static let suffix = ".spare"
    /// Of a file that is made when it is needed, since there is none in reserve.
    private static let freshSuffix = ".new"
    let smallestFile: Int
    /// For some view changes: a record takes a sector or two.
    private var smallestRoom: Int { smallestFile / 4 }

    private var spares: [String: Spare] = [:]
    private var usedUntil: UInt64?
    private var making: (tag: UInt64, byteCount: Int)?

    init(smallestFile: Int) {
        self.smallestFile = smallestFile
    }

    /// Takes over what the process before had in reserve.
    mutating func find(on disk: any Disk) {
        for file in ViewJournal.files {
            guard let byteCount = try? disk.byteCount(of: file + Self.suffix),
                byteCount >= smallestFile
            else { continue }
            spares[file] = Spare(byteCount: byteCount, isClean: false)
        }
    }

    /// Writes and syncs what is to take the place of `file`, and gives its name and size: what is
    /// there, if that leaves some room for later records, else `byteCount`.
    mutating func write(
        _ bytes: [UInt8], of byteCount: Int, for file: String, on disk: any Disk
    ) -> (name: String, byteCount: Int) {
        guard let spare = spares.removeValue(forKey: file),
            spare.byteCount >= bytes.count + smallestRoom
        else {
            let fresh = file + Self.freshSuffix
            disk.submit(.create(fresh, byteCount: byteCount), lane: .views, tag: 0)
            disk.submit(.write(fresh, at: 0, bytes: bytes), lane: .views, tag: 0)
            disk.submit(.sync(fresh), lane: .views, tag: 0)
            return (fresh, byteCount)
        }
        let fresh = file + Self.suffix
        // Old records behind the new ones would be taken for later ones.
        let rest = spare.isClean ? 0 : spare.byteCount - bytes.count
        var padded = bytes
        padded.reserveCapacity(bytes.count + rest)
        padded.append(contentsOf: repeatElement(0, count: rest))
        disk.submit(.write(fresh, at: 0, bytes: padded), lane: .views, tag: 0)
        disk.submit(.sync(fresh), lane: .views, tag: 0)
        return (fresh, spare.byteCount)
    }

    /// The files are being used until `tag` completes.
    mutating func isUsedUp(until tag: UInt64) {
        usedUntil = tag
    }

    mutating func completed(
        _ tag: UInt64, byteCount: Int, on disk: any Disk, nextTag: () -> UInt64
    ) {
        if let making, making.tag == tag {
            self.making = nil
            for file in ViewJournal.files {
                spares[file] = Spare(byteCount: making.byteCount, isClean: true)
            }
        }
        guard tag == usedUntil else { return }
        usedUntil = nil
        guard making == nil else { return }
        let tag = nextTag()
        making = (tag, byteCount)
        for file in ViewJournal.files {
            disk.submit(
                .create(file + Self.suffix, byteCount: byteCount), lane: .snapshots, tag: 0)
        }
        disk.submit(.syncDirectory, lane: .snapshots, tag: tag)
    }
}
