package import ConclaveBase

/// What a disk holds for certain at one moment: what a power loss would leave that takes everything
/// with it that no sync has covered. It is only read.
package final class DiskImage: Disk {
    private let numbers: [String: Int]
    private var files: [Int: SimulatedFile]
    private var isSettled: Set<Int> = []

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

    package func list() throws(DiskError) -> [String] { numbers.keys.sorted() }

    package func byteCount(of file: String) throws(DiskError) -> Int {
        files[try number(of: file)]!.bytes.count
    }

    package func read(_ file: String, at offset: Int, count: Int) throws(DiskError) -> [UInt8] {
        let contents = files[try number(of: file)]!
        let start = min(offset, contents.bytes.count)
        let range = start..<min(contents.bytes.count, start + count)
        guard contents.isReadable(range) else { throw .failed(file, number: 5) }
        return Array(contents.bytes[range])
    }

    /// Files are settled when they are first looked at: most of them are not.
    private func number(of name: String) throws(DiskError) -> Int {
        guard let number = numbers[name], files[number] != nil else { throw .notFound(name) }
        if isSettled.insert(number).inserted { files[number]!.dropUnsynced() }
        return number
    }

    /// Whoever reads it tidies up as a start does, and that does not count.
    package func submit(_ operation: DiskOperation, lane: DiskLane, tag: UInt64) {}
}
