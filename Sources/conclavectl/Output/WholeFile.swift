import Glibc

/// A file that is read, or written, whole or not at all.
enum WholeFile {
    /// - Parameter path: `-` is the standard input.
    static func read(_ path: String, maximumByteCount: Int = 1 << 32) throws -> [UInt8] {
        guard path != "-" else {
            return try contents(of: STDIN_FILENO, "the standard input", maximumByteCount)
        }
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw SystemFailure("cannot read \(path)") }
        defer { close(descriptor) }
        return try contents(of: descriptor, path, maximumByteCount)
    }

    private static func contents(
        of descriptor: Int32, _ name: String, _ maximumByteCount: Int
    ) throws -> [UInt8] {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 * 1_024)
        while true {
            let count = unsafe buffer.withUnsafeMutableBytes { buffer in
                unsafe Glibc.read(descriptor, buffer.baseAddress, buffer.count)
            }
            if count == 0 { return bytes }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw SystemFailure("cannot read \(name)") }
            bytes += buffer[..<count]
            guard bytes.count <= maximumByteCount else {
                throw TooLarge(name: name, maximumByteCount: maximumByteCount)
            }
        }
    }

    struct TooLarge: Error, CustomStringConvertible {
        var name: String
        var maximumByteCount: Int

        var description: String { "\(name) has more than \(maximumByteCount) bytes" }
    }

    /// Another file takes the name when all is on the disk; what had it before is as it was until then.
    /// What is neither a file nor a link to one stays as it is.
    static func write(_ bytes: [UInt8], to name: String) throws {
        let path = try target(of: name)
        let other = "\(path).\(getpid())"
        let descriptor = unsafe open(other, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw SystemFailure("cannot create \(other)") }
        do {
            defer { close(descriptor) }
            let fault = Output.write(bytes, to: descriptor)
            guard fault == 0 else { throw SystemFailure("cannot write \(other)", number: fault) }
            guard fsync(descriptor) == 0 else { throw SystemFailure("cannot write \(other)") }
            guard unsafe rename(other, path) == 0 else {
                throw SystemFailure("cannot rename \(other) to \(path)")
            }
        } catch {
            unsafe unlink(other)
            throw error
        }
        try sync(directoryOf: path)
    }

    private static func target(of name: String) throws -> String {
        var about = stat()
        guard unsafe stat(name, &about) == 0 else {
            let isLinkToNothing = unsafe lstat(name, &about) == 0
            if isLinkToNothing { throw NoFile(name: name, what: "a link to nothing") }
            return name
        }
        guard about.st_mode & S_IFMT == S_IFREG else {
            let isDirectory = about.st_mode & S_IFMT == S_IFDIR
            throw NoFile(name: name, what: isDirectory ? "a directory" : "no file")
        }
        guard let resolved = unsafe realpath(name, nil) else {
            throw SystemFailure("cannot resolve \(name)")
        }
        defer { unsafe free(resolved) }
        return unsafe String(cString: resolved)
    }

    struct NoFile: Error, CustomStringConvertible {
        var name: String
        var what: String

        var description: String {
            "\(name) is \(what): name a file, or '-' for the standard output"
        }
    }

    private static func sync(directoryOf path: String) throws {
        let parent = path.lastIndex(of: "/").map { path[...$0] } ?? "."
        let descriptor = unsafe open(String(parent), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw SystemFailure("cannot open \(parent)") }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw SystemFailure("cannot write \(parent)") }
    }
}
