package import ConclaveBase

/// The data directory of one host. It outlives the daemon's processes.
///
/// Lanes are queues of their own. A process that is killed loses what it had not written yet, and
/// what was under way may or may not have happened; a power loss leaves, of everything that no sync
/// has covered, any part.
package final class SimulatedDisk: Disk {
    private struct Lane {
        var operations: [(operation: DiskOperation, tag: UInt64)] = []
        /// Of the first operation, if it is a sync: the writes, or directory changes, it covers.
        var covered: UInt64 = 0
        var hasFailed = false
        /// The first operation has found no room and is tried again.
        var isWaitingForRoom = false
        /// Nothing of this lane completes before this, whatever the others do.
        var stalledUntil = Moment.start
    }

    private static let roomPause = Interval.milliseconds(100)

    package var profile: DiskProfile
    /// Nothing completes before this.
    private(set) var stalledUntil = Moment.start
    /// How often it was replaced by an empty one.
    private(set) var eraseCount = 0
    /// No new file finds room, and no old one can grow.
    package var isFull = false
    /// Syncs to come that fail.
    package var failingSyncCount = 0
    /// What a failed sync does to what was written: it stays in the page cache as if it were on the
    /// disk (ext4, XFS), or what was there before is there again (btrfs).
    package var keepsUnsynced: Bool
    /// Syncs that failed.
    private(set) var failedSyncCount = 0

    private let host: UInt8
    private let timeline: Timeline
    private let inbox: Inbox
    private var random: SeededRandom
    private var directory = SimulatedDirectory()
    private var files: [Int: SimulatedFile] = [:]
    private var fileCount = 0
    private var shelved:
        (identity: UInt64, directory: SimulatedDirectory, files: [Int: SimulatedFile])?
    /// What daemons' incarnations say that they started from it.
    private(set) var identity: UInt64
    private var diskCount: UInt64 = 0
    private var writeCount: UInt64 = 0
    private var lanes = DiskLane.allCases.map { _ in Lane() }
    /// Makes completions of a process before, or of before a stall was ended, stale.
    private var run: UInt32 = 0

    package init(
        host: Int, profile: DiskProfile, timeline: Timeline, inbox: Inbox, random: SeededRandom
    ) {
        self.host = UInt8(host)
        identity = Self.identity(of: self.host, 0)
        self.profile = profile
        self.timeline = timeline
        self.inbox = inbox
        self.random = random
        // From numbers of its own, so that all other runs are as they were.
        var other = random
        var ownRandom = SeededRandom(seed: other.next() ^ 0x6661_696C_5379_6E63)
        keepsUnsynced = ownRandom.chance(perMille: 700)
    }

    private static func identity(of host: UInt8, _ diskCount: UInt64) -> UInt64 {
        UInt64(host) + 1 + diskCount * 256
    }

    // MARK: - Disk

    package func list() throws(DiskError) -> [String] { directory.names }

    package func byteCount(of file: String) throws(DiskError) -> Int {
        try contents(of: file).count
    }

    package func read(_ file: String, at offset: Int, count: Int) throws(DiskError) -> [UInt8] {
        guard let number = directory[file], let contents = files[number] else {
            throw .notFound(file)
        }
        guard offset >= 0, count >= 0 else { throw .failed(file, number: 22) }
        guard let bytes = contents.read(at: offset, count: count) else {
            throw .failed(file, number: 5)
        }
        return bytes
    }

    package func submit(_ operation: DiskOperation, lane: DiskLane, tag: UInt64) {
        guard !lanes[lane.rawValue].hasFailed else { return }
        if lane == .segments, case .write(let file, _, _) = operation { writtenSegment = file }
        lanes[lane.rawValue].operations.append((operation, tag))
        if lanes[lane.rawValue].operations.count == 1 { begin(lane.rawValue) }
    }

    private func contents(of name: String) throws(DiskError) -> [UInt8] {
        guard let file = directory[name], let contents = files[file] else {
            throw .notFound(name)
        }
        return contents.bytes
    }

    // MARK: - Operations

    private func begin(_ lane: Int) {
        let (delays, covered) =
            switch lanes[lane].operations[0].operation {
            case .write: (profile.write, 0 as UInt64)
            case .sync: (profile.sync, writeCount)
            case .syncDirectory: (profile.directory, directory.lastChange)
            case .create, .rename, .remove: (profile.directory, 0)
            }
        lanes[lane].covered = covered
        let end = max(timeline.now, stalledUntil, lanes[lane].stalledUntil)
            .advanced(by: delays.draw(from: &random))
        timeline.schedule(.disk(host: host, lane: UInt8(lane), run: run), at: end)
    }

    /// The first operation of a lane is done.
    package func complete(lane: UInt8, run: UInt32) {
        guard run == self.run else { return }
        let lane = Int(lane)
        let goesOnAt = max(stalledUntil, lanes[lane].stalledUntil)
        guard goesOnAt <= timeline.now else {
            timeline.schedule(.disk(host: host, lane: UInt8(lane), run: run), at: goesOnAt)
            return
        }
        let (operation, tag) = lanes[lane].operations[0]
        do throws(DiskError) {
            try carryOut(operation, covered: lanes[lane].covered)
            if lanes[lane].isWaitingForRoom { inbox.put(.disk(.hasRoom(DiskLane.allCases[lane]))) }
            lanes[lane].isWaitingForRoom = false
            inbox.put(.disk(.completed(tag: tag)))
        } catch {
            if operation.mayWaitForRoom, case .full(let file) = error {
                return waitForRoom(lane, file: file)
            }
            inbox.put(.disk(.failed(tag: tag, error)))
            lanes[lane].hasFailed = true
            lanes[lane].operations.removeAll()
            return
        }
        lanes[lane].operations.removeFirst()
        if !lanes[lane].operations.isEmpty { begin(lane) }
    }

    private func waitForRoom(_ lane: Int, file: String) {
        if !lanes[lane].isWaitingForRoom {
            inbox.put(.disk(.full(DiskLane.allCases[lane], file: file)))
        }
        lanes[lane].isWaitingForRoom = true
        timeline.schedule(
            .disk(host: host, lane: UInt8(lane), run: run), after: Self.roomPause)
    }

    private func carryOut(_ operation: DiskOperation, covered: UInt64) throws(DiskError) {
        switch operation {
        case .create(let name, let byteCount):
            guard !isFull else { throw .full(name) }
            create(name, byteCount: byteCount)
        case .write(let name, let offset, let bytes):
            let file = try file(name)
            let isGrowing = offset + bytes.count > files[file]!.bytes.count
            guard !isFull || !isGrowing else { throw .full(name) }
            writeCount += 1
            files[file]!.write(bytes, at: offset, write: writeCount)
        case .sync(let name):
            try sync(try file(name), named: name, covered: covered)
        case .rename(let name, let newName):
            _ = try file(name)
            noteLoss(of: name)
            directory.rename(name, to: newName)
        case .remove(let name):
            _ = try file(name)
            noteLoss(of: name)
            directory.remove(name)
        case .syncDirectory:
            try syncDirectory(covered: covered)
        }
    }

    private func noteLoss(of name: String) {
        if DiskImage.isSegment(name) { lostSegmentCount += 1 }
    }

    private func file(_ name: String) throws(DiskError) -> Int {
        guard let file = directory[name] else { throw .notFound(name) }
        return file
    }

    private func create(_ name: String, byteCount: Int) {
        fileCount += 1
        writeCount += 1
        files[fileCount] = SimulatedFile(byteCount: byteCount, write: writeCount)
        files[fileCount]!.markSynced(upTo: writeCount)
        directory.add(name, file: fileCount)
    }

    private func sync(_ file: Int, named name: String, covered: UInt64) throws(DiskError) {
        if failingSyncCount > 0 {
            failingSyncCount -= 1
            failedSyncCount += 1
            if keepsUnsynced {
                files[file]!.keepUnsynced(upTo: covered)
            } else {
                files[file]!.dropUnsynced()
            }
            throw .failed(name, number: 5)
        }
        files[file]!.markSynced(upTo: covered)
    }

    private func syncDirectory(covered: UInt64) throws(DiskError) {
        if failingSyncCount > 0 {
            failingSyncCount -= 1
            failedSyncCount += 1
            throw .failed(".", number: 5)
        }
        directory.markSynced(upTo: covered)
        noteNewestSegment()
        discardUnreachable()
    }

    /// The last of those that are there for certain, if there is any.
    private(set) var newestSegment = ""

    private func noteNewestSegment() {
        newestSegment = image.segments.max() ?? ""
    }

    /// The segment to which something is, or was last, on its way.
    private(set) var writtenSegment = ""
    /// How many segments have lost their names.
    private(set) var lostSegmentCount = 0

    /// Nothing is on its way to it.
    package var isIdle: Bool { lanes.allSatisfy { $0.operations.isEmpty && !$0.hasFailed } }

    private func discardUnreachable() {
        let reachable = directory.reachable
        guard reachable.count < files.count else { return }
        files = files.filter { reachable.contains($0.key) }
    }

    // MARK: - What is there for certain

    package var image: DiskImage { DiskImage(names: directory.syncedNames, files: files) }

    /// The same, with all names as they are now: changes of names reach the disk without a sync as well.
    var imageWithNames: DiskImage { DiskImage(names: directory.currentNames, files: files) }

    /// Something is on its way to the disk, in the lanes of what a member must not forget.
    package var isBusy: Bool {
        [DiskLane.views, .segments].contains { !lanes[$0.rawValue].operations.isEmpty }
    }

    /// What waits to be written to a segment, or is written and not synced.
    package var byteCountUnderWay: Int {
        lanes[DiskLane.segments.rawValue].operations.reduce(0) { sum, next in
            guard case .write(_, _, let bytes) = next.operation else { return sum + 1 }
            return sum + bytes.count
        }
    }

    // MARK: - Faults

    package func stall(for interval: Interval) {
        stalledUntil = max(stalledUntil, timeline.now.advanced(by: interval))
    }

    /// One lane alone: its file lies on another part of the disk, or is large.
    package func stall(_ lane: DiskLane, for interval: Interval) {
        let end = timeline.now.advanced(by: interval)
        lanes[lane.rawValue].stalledUntil = max(lanes[lane.rawValue].stalledUntil, end)
    }

    package var isStalled: Bool {
        stalledUntil > timeline.now || lanes.contains { $0.stalledUntil > timeline.now }
    }

    package func endStall() {
        guard isStalled else { return }
        stalledUntil = timeline.now
        for lane in lanes.indices { lanes[lane].stalledUntil = timeline.now }
        // What was under way stands where the stall would have ended.
        run += 1
        for lane in lanes.indices where !lanes[lane].operations.isEmpty { begin(lane) }
    }

    /// The daemon's process is killed. What it had handed to the kernel stays.
    package func processEnded() {
        for lane in lanes.indices {
            if let (operation, _) = lanes[lane].operations.first {
                interrupt(operation, covered: lanes[lane].covered)
            }
            lanes[lane].operations.removeAll()
            lanes[lane].hasFailed = false
            lanes[lane].isWaitingForRoom = false
        }
        run += 1
    }

    /// What was under way happens, or does not, or, of a write, a beginning of it.
    private func interrupt(_ operation: DiskOperation, covered: UInt64) {
        guard random.chance(perMille: 500) else { return }
        if case .write(let name, let offset, let bytes) = operation {
            let count = Int(random.below(UInt64(bytes.count) + 1))
            try? carryOut(
                .write(name, at: offset, bytes: Array(bytes.prefix(count))), covered: covered)
            return
        }
        // Nobody hears of a sync that was to fail: the next one fails as well.
        guard failingSyncCount == 0 else {
            if case .sync(let name) = operation, keepsUnsynced, let file = directory[name] {
                files[file]!.keepUnsynced(upTo: covered)
            }
            return
        }
        try? carryOut(operation, covered: covered)
    }

    /// The host loses power.
    package func losePower() {
        processEnded()
        directory.losePower(&random)
        noteNewestSegment()
        for file in files.keys.sorted() { files[file]!.losePower(&random) }
        discardUnreachable()
        stalledUntil = timeline.now
        for lane in lanes.indices { lanes[lane].stalledUntil = timeline.now }
    }

    /// The disk is replaced by an empty one.
    package func erase() {
        processEnded()
        eraseCount += 1
        if !files.isEmpty { shelved = (identity, directory, files) }
        diskCount += 1
        identity = Self.identity(of: host, diskCount)
        directory = SimulatedDirectory()
        files = [:]
        noteNewestSegment()
    }

    /// There was another disk before this one.
    package var hasOlder: Bool { shelved != nil }

    /// Puts the disk back that was there before the last empty one.
    package func putBackOlder() {
        guard let older = shelved else { return }
        processEnded()
        eraseCount += 1
        (identity, directory, files) = older
        noteNewestSegment()
        shelved = nil
    }

    /// Bits of a file change that were on the disk already.
    package func rot(_ name: String) {
        guard let file = directory[name] else { return }
        for _ in 0..<(1 + random.below(2)) { files[file]!.rot(&random) }
    }

    /// The first sector of a file changes.
    package func rotBeginning(of name: String) {
        guard let file = directory[name] else { return }
        files[file]!.rot(sector: 0, &random)
    }

    /// Which of some files was written to last, of what is synced; nil: none was.
    func newestSynced(of names: [String]) -> String? {
        let newest = names.compactMap { name in
            directory[name].map { (name, write: files[$0]!.newestSynced.write) }
        }
        return newest.filter { $0.write > 0 }.max { $0.write < $1.write }?.0
    }

    /// What was synced last of a file changes.
    func rotNewest(of name: String) {
        guard let file = directory[name] else { return }
        files[file]!.rot(sector: files[file]!.newestSynced.sector, &random)
    }

    /// A sector of a file cannot be read any more.
    package func makeUnreadable(_ name: String) {
        guard let file = directory[name] else { return }
        files[file]!.makeUnreadable(&random)
    }

    /// A file has sectors that cannot be read, also one that nobody reads before it becomes a
    /// segment again.
    package var hasUnreadable: Bool { files.values.contains { $0.hasUnreadable } }

    /// A file is gone for good.
    package func lose(_ name: String) {
        directory.remove(name)
        directory.markSynced(upTo: directory.lastChange)
        noteNewestSegment()
        discardUnreachable()
    }
}
