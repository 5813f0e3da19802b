import ConclaveBase
import ConclaveWire

/// Writes snapshots beside the old one, piece by piece, on a lane of their own. What they replace
/// stays until it is told to go.
struct SnapshotStore {
    /// What a completed operation was to this.
    enum Completion {
        case foreign
        /// There is room for another piece, or nothing more is left to do.
        case progress
        case durable(SnapshotHeader, stateByteCount: Int)
    }

    private struct Writing {
        let header: SnapshotHeader
        let file: String
        let start: Int
        var byteCount = 0
        var checksum = Checksum()
        /// Tags of pieces on their way.
        var pieces: Set<UInt64> = []
        var unsyncedCount = 0
        /// Of the last operation, once all is handed over.
        var last: UInt64?

        var unfinished: String { file + SnapshotFile.unfinishedSuffix }
    }

    /// Pieces on their way to the disk at once.
    private static let window = 8
    /// Pieces that are synced together: one sync of all of them would hold up those of the messages
    /// for as long as the disk takes for everything.
    private static let piecesInSync = 16

    private let owner: NodeID
    /// Durable ones.
    private var files: [String] = []
    private var writing: Writing?

    init(owner: NodeID) {
        self.owner = owner
    }

    /// One is begun and not durable yet.
    var isBusy: Bool { writing != nil }

    /// Takes another piece of the one that is begun.
    var hasRoom: Bool {
        writing.map { $0.last == nil && $0.pieces.count < Self.window } ?? false
    }

    /// The newest snapshot of that lineage on the disk. One that is newer by its name may be of a
    /// history that was never begun: its view was not recorded. Unfinished ones are removed. `blank`
    /// is like the machine that it holds.
    mutating func recover<Machine: StateMachine>(
        from disk: any Disk, lineage: Lineage, like blank: Machine
    ) throws(FatalFault) -> (header: SnapshotHeader, machine: Machine)? {
        let names: [String]
        do { names = try disk.list() } catch { throw .disk(error) }
        for file in names where file.hasSuffix(SnapshotFile.unfinishedSuffix) {
            disk.submit(.remove(file), lane: .snapshots, tag: 0)
        }
        files = names.filter(SnapshotFile.isName).sorted()
        for file in files.reversed() {
            let found = try SnapshotFile.read(
                file, on: disk, owner: owner, lineage: lineage, like: blank)
            if let found { return found }
        }
        return nil
    }

    /// Of any durable snapshot, of whatever history.
    var highestEra: UInt16 {
        files.compactMap(SnapshotFile.version(of:)).map(\.era).max() ?? 0
    }

    /// - Precondition: none is begun.
    mutating func begin(_ header: SnapshotHeader, on disk: any Disk) {
        precondition(writing == nil, "one snapshot at a time")
        let begun = Writing(
            header: header, file: SnapshotFile.name(header.version),
            start: SnapshotFile.offset(after: header))
        disk.submit(.create(begun.unfinished, byteCount: 0), lane: .snapshots, tag: 0)
        writing = begun
    }

    /// - Precondition: one is begun, and not all of it handed over.
    mutating func append(_ piece: [UInt8], to disk: any Disk, tag: UInt64) {
        guard var writing, writing.last == nil else {
            preconditionFailure("a piece of no snapshot")
        }
        let offset = writing.start + writing.byteCount
        disk.submit(
            .write(writing.unfinished, at: offset, bytes: piece), lane: .snapshots, tag: tag)
        unsafe piece.withUnsafeBytes { unsafe writing.checksum.update($0) }
        writing.byteCount += piece.count
        writing.pieces.insert(tag)
        writing.unsyncedCount += 1
        if writing.unsyncedCount == Self.piecesInSync {
            disk.submit(.sync(writing.unfinished), lane: .snapshots, tag: 0)
            writing.unsyncedCount = 0
        }
        self.writing = writing
    }

    /// All pieces are handed over: the head is written, all of it synced, renamed, and the
    /// directory synced; then `tag` completes.
    mutating func finish(on disk: any Disk, tag: UInt64) {
        guard let writing else { preconditionFailure("the end of no snapshot") }
        let head = SnapshotFile(
            header: writing.header, stateChecksum: writing.checksum.value,
            stateByteCount: writing.byteCount)
        let bytes = head.encodeHead(owner: owner)
        let unfinished = writing.unfinished
        disk.submit(.write(unfinished, at: 0, bytes: bytes), lane: .snapshots, tag: 0)
        disk.submit(.sync(unfinished), lane: .snapshots, tag: 0)
        disk.submit(.rename(unfinished, to: writing.file), lane: .snapshots, tag: 0)
        disk.submit(.syncDirectory, lane: .snapshots, tag: tag)
        self.writing?.last = tag
    }

    /// Gives up one that is begun and not all handed over.
    mutating func abandon(on disk: any Disk) {
        guard let writing, writing.last == nil else { return }
        disk.submit(.remove(writing.unfinished), lane: .snapshots, tag: 0)
        self.writing = nil
    }

    mutating func completed(_ tag: UInt64) -> Completion {
        guard let writing else { return .foreign }
        if self.writing?.pieces.remove(tag) != nil { return .progress }
        guard writing.last == tag else { return .foreign }
        self.writing = nil
        files.removeAll { $0 == writing.file }
        files.append(writing.file)
        return .durable(writing.header, stateByteCount: writing.byteCount)
    }

    /// Removes all durable ones but that of `version`.
    mutating func forget(allBut version: Version, on disk: any Disk) {
        let kept = SnapshotFile.name(version)
        for file in files where file != kept {
            disk.submit(.remove(file), lane: .snapshots, tag: 0)
        }
        files.removeAll { $0 != kept }
    }
}
