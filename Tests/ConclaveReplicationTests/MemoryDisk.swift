import ConclaveBase

/// A disk in memory. Operations are carried out when the test says so; a crash drops those that
/// wait, a power loss also what no sync has covered.
final class MemoryDisk: Disk {
    private(set) var files: [String: [UInt8]] = [:]
    private var synced: [String: [UInt8]] = [:]
    /// Sectors of which a failed sync has left in the page cache what is not on the disk.
    private var onlyCached: [String: Set<Int>] = [:]
    private(set) var waiting: [(operation: DiskOperation, lane: DiskLane, tag: UInt64)] = []
    /// Nothing is made; what is queued in the same lane behind it waits.
    var isFull = false
    /// Tags of completed operations, in order.
    private(set) var completed: [UInt64] = []

    func list() throws(DiskError) -> [String] { files.keys.sorted() }

    func byteCount(of file: String) throws(DiskError) -> Int {
        guard let bytes = files[file] else { throw .notFound(file) }
        return bytes.count
    }

    func read(_ file: String, at offset: Int, count: Int) throws(DiskError) -> [UInt8] {
        guard let bytes = files[file] else { throw .notFound(file) }
        return Array(bytes[offset..<min(bytes.count, offset + count)])
    }

    func submit(_ operation: DiskOperation, lane: DiskLane, tag: UInt64) {
        waiting.append((operation, lane, tag))
    }

    /// Carries out the first `count` operations, or all.
    @discardableResult
    func run(_ count: Int = .max) -> [UInt64] {
        var tags: [UInt64] = []
        var held: [(operation: DiskOperation, lane: DiskLane, tag: UInt64)] = []
        defer { waiting = held + waiting }
        for _ in 0..<min(count, waiting.count) {
            let (operation, lane, tag) = waiting.removeFirst()
            if isFull, operation.isCreation || held.contains(where: { $0.lane == lane }) {
                held.append((operation, lane, tag))
                continue
            }
            carryOut(operation)
            if tag != 0 { tags.append(tag) }
        }
        completed += tags
        return tags
    }

    /// Carries out everything that does not wait in one of `lanes`.
    @discardableResult
    func run(except lanes: Set<DiskLane>) -> [UInt64] {
        let held = waiting.filter { lanes.contains($0.lane) }
        waiting.removeAll { lanes.contains($0.lane) }
        let tags = run()
        waiting = held + waiting
        return tags
    }

    /// A file that was made is on its way to its name.
    var isRenaming: Bool {
        waiting.contains { if case .rename = $0.operation { true } else { false } }
    }

    /// The process dies: what it had not handed over yet never happens.
    func crash() {
        waiting = []
    }

    /// A sync fails: what it was to take to the disk is read as before, and no later sync takes it
    /// there before it is written again.
    func failSync(of file: String) {
        let bytes = files[file] ?? []
        let before = synced[file] ?? []
        onlyCached[file] = Set(
            bytes.indices.filter { $0 >= before.count || bytes[$0] != before[$0] }.map { $0 / 512 })
    }

    /// The host loses power: only what was synced is left. Names are taken as durable.
    func losePower() {
        crash()
        onlyCached = [:]
        for file in files.keys { files[file] = synced[file] ?? [] }
    }

    /// The disk is replaced by an empty one.
    func erase() {
        crash()
        files = [:]
        synced = [:]
        onlyCached = [:]
    }

    func change(_ file: String, _ body: (inout [UInt8]) -> Void) {
        body(&files[file]!)
        synced[file] = files[file]
    }

    func remove(_ file: String) {
        files[file] = nil
    }

    private func carryOut(_ operation: DiskOperation) {
        switch operation {
        case .create(let file, let byteCount):
            files[file] = Array(repeating: 0, count: byteCount)
            synced[file] = nil
            onlyCached[file] = nil
        case .write(let file, let offset, let bytes):
            guard var contents = files[file] else { return }
            contents += Array(repeating: 0, count: max(0, offset + bytes.count - contents.count))
            contents.replaceSubrange(offset..<(offset + bytes.count), with: bytes)
            files[file] = contents
            onlyCached[file]?.subtract(offset / 512...(offset + bytes.count - 1) / 512)
        case .sync(let file): sync(file)
        case .rename(let file, let name):
            onlyCached[name] = onlyCached.removeValue(forKey: file)
            files[name] = files.removeValue(forKey: file)
            synced[name] = synced.removeValue(forKey: file)
        case .remove(let file):
            files[file] = nil
            synced[file] = nil
        case .syncDirectory: break
        }
    }

    private func sync(_ file: String) {
        guard var bytes = files[file] else { return }
        let before = synced[file] ?? []
        for sector in onlyCached[file] ?? [] {
            for index in sector * 512..<min(bytes.count, sector * 512 + 512) {
                bytes[index] = index < before.count ? before[index] : 0
            }
        }
        synced[file] = bytes
    }
}

extension DiskOperation {
    fileprivate var isCreation: Bool {
        if case .create = self { true } else { false }
    }
}
