import Glibc
import PacketSockets

/// Files of one directory, each with the largest token that it was ever written with.
///
/// The token stands in the file's first line, and both are replaced in one step and synced before a
/// writing is acknowledged: after a crash the store refuses whom it refused before.
struct FileStore {
    private let directory: String
    /// Open as long as this store is: the kernel lets one process at a time have it.
    private let guardFile: Int32

    /// - Throws: If the directory is not there, or served by another process.
    init(directory: String) throws {
        self.directory = directory
        guardFile = open("\(directory)/.serving", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard guardFile >= 0 else { throw Failure(failed: "the store \(directory)") }
        guard flock(guardFile, LOCK_EX | LOCK_NB) == 0 else {
            throw Failure("the store \(directory) is served by another process")
        }
    }

    /// Replaces what the file holds, unless it was written with a larger token. Who has written may
    /// write again under the same token.
    func write(_ text: String, to file: String, token: UInt64) throws -> StoreAnswer {
        try Self.check(name: file)
        let newest = try newestToken(of: file)
        guard token >= newest else { return .refused(newest: newest) }
        try replace(file, by: "token \(token)\n\(text)\n")
        return .written
    }

    /// 0 for a file that is not there.
    private func newestToken(of file: String) throws -> UInt64 {
        let descriptor = open("\(directory)/\(file)", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return 0 }
            throw Failure(failed: "reading \(file)")
        }
        defer { close(descriptor) }
        // "token ", and a number of at most 20 digits.
        var start = [UInt8](repeating: 0, count: 32)
        let count = read(descriptor, &start, start.count)
        guard count >= 0 else { throw Failure(failed: "reading \(file)") }
        let line = start.prefix(count).prefix { $0 != UInt8(ascii: "\n") }
        let words = String(decoding: line, as: UTF8.self).split(separator: " ")
        guard words.count == 2, words[0] == "token", let token = UInt64(words[1]) else {
            // Writing over it could let a late writer in.
            throw Failure("\(file) does not begin with its token: move it away")
        }
        return token
    }

    /// All of it or nothing, on the disk before the call returns.
    private func replace(_ file: String, by text: String) throws {
        let new = "\(directory)/.new"
        let descriptor = open(new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw Failure(failed: "making a new \(file)") }
        defer { close(descriptor) }
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else { throw Failure(failed: "writing \(file)") }
            rest = rest.dropFirst(count)
        }
        guard fsync(descriptor) == 0, rename(new, "\(directory)/\(file)") == 0 else {
            throw Failure(failed: "replacing \(file)")
        }
        let folder = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw Failure(failed: "the store \(directory)") }
        defer { close(folder) }
        guard fsync(folder) == 0 else { throw Failure(failed: "syncing \(directory)") }
    }

    /// A name comes from outside, and becomes a part of a path.
    private static func check(name: String) throws {
        let isPlain = name.utf8.allSatisfy { byte in
            byte > UInt8(ascii: " ") && byte != UInt8(ascii: "/") && byte != 0x7F
        }
        guard isPlain, (1...100).contains(name.utf8.count), !name.hasPrefix(".") else {
            throw Failure(
                "a file's name has 1 to 100 bytes without '/', and does not begin with '.'")
        }
    }
}
