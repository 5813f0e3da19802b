import ConclaveBase

/// A disk in memory whose files the fuzzer may change. Operations complete when they are asked to.
final class FuzzDisk: Disk {
    var files: [String: [UInt8]]
    private var waiting: [(operation: DiskOperation, tag: UInt64)] = []

    init(files: [String: [UInt8]] = [:]) {
        self.files = files
    }

    func list() throws(DiskError) -> [String] { files.keys.sorted() }

    func byteCount(of file: String) throws(DiskError) -> Int {
        guard let bytes = files[file] else { throw .notFound(file) }
        return bytes.count
    }

    func read(_ file: String, at offset: Int, count: Int) throws(DiskError) -> [UInt8] {
        guard let bytes = files[file] else { throw .notFound(file) }
        return Array(bytes[min(offset, bytes.count)..<min(bytes.count, offset + count)])
    }

    func submit(_ operation: DiskOperation, lane: DiskLane, tag: UInt64) {
        waiting.append((operation, tag))
    }

    /// Carries out what waits, and gives back what is to be told of it.
    func complete() -> [DiskInput] {
        let operations = waiting
        waiting = []
        return operations.map { operation, tag in
            carryOut(operation)
            return .completed(tag: tag)
        }
    }

    /// The process dies: what it had not handed over yet never happens.
    func crash() {
        waiting = []
    }

    private func carryOut(_ operation: DiskOperation) {
        switch operation {
        case .create(let file, let byteCount): files[file] = Array(repeating: 0, count: byteCount)
        case .write(let file, let offset, let bytes):
            let end = offset + bytes.count
            let missing = end - (files[file]?.count ?? 0)
            if missing > 0 { files[file, default: []] += Array(repeating: 0, count: missing) }
            files[file]?.replaceSubrange(offset..<end, with: bytes)
        case .rename(let file, let name): files[name] = files.removeValue(forKey: file)
        case .remove(let file): files[file] = nil
        case .sync, .syncDirectory: break
        }
    }
}
