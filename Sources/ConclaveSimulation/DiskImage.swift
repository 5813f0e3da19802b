package import ConclaveBase

/// What a disk holds for certain at one moment: what a power loss would leave that takes everything
/// with it that no sync has covered. It is only read.
package final class DiskImage: Disk {
    private let numbers: [String: Int]
    private let files: [Int: SimulatedFile]
    /// Those that were looked at, without what was not synced.
    private var settled: [Int: SimulatedFile] = [:]

    init(names: [String: Int], files: [Int: SimulatedFile]) {
        numbers = names
        self.files = files
    }

    /// The same without one file.
    package func without(_ name: String) -> DiskImage {
        var names = numbers
        names[name] = nil
        return DiskImage(names: names, files: files)
    }

    static func isSegment(_ name: String) -> Bool { name.hasPrefix("segment") }

    /// The names of its segments, in no order.
    var segments: [String] { numbers.keys.filter(Self.isSegment) }

    package func list() throws(DiskError) -> [String] { numbers.keys.sorted() }

    package func byteCount(of file: String) throws(DiskError) -> Int {
        guard let number = numbers[file], let contents = files[number] else {
            throw .notFound(file)
        }
        return contents.syncedByteCount
    }

    package func read(_ file: String, at offset: Int, count: Int) throws(DiskError) -> [UInt8] {
        guard let bytes = try contents(of: file).read(at: offset, count: count) else {
            throw .failed(file, number: 5)
        }
        return bytes
    }

    /// Files are settled when they are first looked at: most of them are not.
    private func contents(of name: String) throws(DiskError) -> SimulatedFile {
        guard let number = numbers[name], var file = files[number] else { throw .notFound(name) }
        if let known = settled[number] { return known }
        file.dropUnsynced()
        settled[number] = file
        return file
    }

    /// Whoever reads it tidies up as a start does, and that does not count.
    package func submit(_ operation: DiskOperation, lane: DiskLane, tag: UInt64) {}
}
