import ConclaveBase

/// Writes snapshots beside the old one and removes what they replace, on a lane of their own.
struct SnapshotStore {
    private let owner: NodeID
    /// Durable ones, oldest first.
    private var files: [String] = []
    private var writing: (tag: UInt64, file: String, snapshot: Snapshot)?

    init(owner: NodeID) {
        self.owner = owner
    }

    var isBusy: Bool { writing != nil }

    /// The newest snapshot on the disk. Unfinished ones are removed.
    mutating func recover(from disk: any Disk) throws(FatalFault) -> Snapshot? {
        let names: [String]
        do { names = try disk.list() } catch { throw .disk(error) }
        for file in names where file.hasSuffix(".unfinished") {
            disk.submit(.remove(file), lane: .snapshots, tag: 0)
        }
        files = names.filter(Snapshot.isName).sorted()
        guard let newest = files.last else { return nil }
        let bytes: [UInt8]
        do {
            bytes = try disk.read(newest, at: 0, count: try disk.byteCount(of: newest))
        } catch {
            throw .damaged("\(newest): cannot be read: \(error)")
        }
        return try Snapshot.decode(bytes, file: newest, owner: owner)
    }

    /// Written beside, synced, renamed, the directory synced; then `tag` completes.
    mutating func write(_ snapshot: Snapshot, to disk: any Disk, tag: UInt64) {
        precondition(writing == nil, "one snapshot at a time")
        let bytes = snapshot.encode(owner: owner)
        let file = Snapshot.name(snapshot.version)
        let unfinished = file + ".unfinished"
        var light = snapshot
        light.machine = []
        writing = (tag, file, light)
        disk.submit(.create(unfinished, byteCount: bytes.count), lane: .snapshots, tag: 0)
        disk.submit(.write(unfinished, at: 0, bytes: bytes), lane: .snapshots, tag: 0)
        disk.submit(.sync(unfinished), lane: .snapshots, tag: 0)
        disk.submit(.rename(unfinished, to: file), lane: .snapshots, tag: 0)
        disk.submit(.syncDirectory, lane: .snapshots, tag: tag)
    }

    /// The snapshot that is durable with this completion, without its bytes.
    mutating func completed(_ tag: UInt64) -> Snapshot? {
        guard let writing, writing.tag == tag else { return nil }
        self.writing = nil
        files.removeAll { $0 == writing.file }
        files.append(writing.file)
        return writing.snapshot
    }

    /// Removes all but the newest: it is known to be on the disk, and noticed if it gets lost.
    mutating func forgetOlder(on disk: any Disk) {
        for file in files.dropLast() {
            disk.submit(.remove(file), lane: .snapshots, tag: 0)
        }
        files = files.suffix(1)
    }
}
