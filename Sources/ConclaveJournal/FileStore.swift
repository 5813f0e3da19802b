import CConclaveLinux
import ConclaveBase
import ConclaveReactor
import Glibc
import Synchronization

/// The calls behind a data directory, for any thread. Files are 0600, the directory is made 0700.
///
/// Names that begin with a dot and `lock` are its own. No link in the directory is followed.
final class FileStore: Sendable {
    static let lockName = "lock"
    /// In front of the name of a file that is not complete yet.
    private static let unfinishedPrefix = ".unfinished-"
    private static let maximumNameByteCount = 200
    private static let zeroes = [UInt8](repeating: 0, count: 1 << 20)

    private let directory: Descriptor
    private let lock: Mutex<Descriptor?>
    private let openFiles = OpenFiles()

    init(path: String) throws(FileDiskFault) {
        directory = try Self.openDirectory(path)
        lock = Mutex(try Self.takeLock(in: directory, path: path))
        do {
            for name in try Self.names(in: directory)
            where name.hasPrefix(Self.unfinishedPrefix) {
                _ = unsafe unlinkat(directory.number, name, 0)
            }
        } catch {
            throw .failed(path: path, error)
        }
    }

    func unlock() {
        openFiles.removeAll()
        lock.withLock { $0 = nil }
    }

    // MARK: - Reading

    /// The files, in the order of their names.
    func list() throws(DiskError) -> [String] {
        do {
            return try Self.names(in: directory).filter(Self.isUsable).sorted()
        } catch {
            throw .failed(".", number: error.number)
        }
    }

    func byteCount(of file: String) throws(DiskError) -> Int {
        try Self.check(name: file)
        var state = stat()
        guard unsafe fstatat(directory.number, file, &state, 0) == 0 else {
            throw Self.error(file, errno)
        }
        return Int(state.st_size)
    }

    func read(_ file: String, at offset: Int, count: Int) throws(DiskError) -> [UInt8] {
        // What is asked for may be more than there is: room is made for what is there.
        let present = max(0, try byteCount(of: file) - max(0, offset))
        let wanted = min(max(0, count), present)
        let descriptor = try open(file)
        var failure: Int32 = 0
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: wanted) { buffer, filled in
            while filled < wanted {
                let room = UnsafeMutableRawBufferPointer(buffer)
                let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: room[filled...])
                let got = unsafe pread(
                    descriptor.number, rest.baseAddress, rest.count, offset + filled)
                if got == 0 { return }
                if got > 0 {
                    filled += got
                } else if errno != EINTR {
                    failure = errno
                    return
                }
            }
        }
        guard failure == 0 else { throw Self.error(file, failure) }
        return bytes
    }

    // MARK: - Changing

    /// Made beside and renamed when it is complete, so that a crash leaves no half of it.
    func create(_ file: String, byteCount: Int) throws(DiskError) {
        try Self.check(name: file)
        try checkSpace(for: file, byteCount: byteCount)
        let unfinished = Self.unfinishedPrefix + file
        let descriptor = try open(unfinished, flags: O_RDWR | O_CREAT | O_TRUNC)
        do throws(DiskError) {
            try fill(descriptor, file, byteCount: byteCount)
            try Self.check(fsync(descriptor.number), file)
            try Self.check(
                unsafe renameat(directory.number, unfinished, directory.number, file), file)
        } catch {
            _ = unsafe unlinkat(directory.number, unfinished, 0)
            throw error
        }
        openFiles.put(descriptor, as: file)
    }

    func write(_ bytes: [UInt8], to file: String, at offset: Int) throws(DiskError) {
        let descriptor = try openKept(file)
        guard try !Self.writePastCache(bytes, to: descriptor, at: offset, file) else { return }
        try Self.write(bytes, count: bytes.count, to: descriptor, at: offset, file)
    }

    /// What was written before this began is on the disk when it returns.
    func sync(_ file: String) throws(DiskError) {
        let descriptor = try openKept(file)
        try Self.check(fdatasync(descriptor.number), file)
    }

    func rename(_ file: String, to target: String) throws(DiskError) {
        try Self.check(name: file)
        try Self.check(name: target)
        let descriptor = openFiles.take(file)
        openFiles.drop(target)
        try Self.check(
            unsafe renameat(directory.number, file, directory.number, target), file)
        openFiles.drop(file)
        if let descriptor { openFiles.put(descriptor, as: target) } else { openFiles.drop(target) }
    }

    func remove(_ file: String) throws(DiskError) {
        try Self.check(name: file)
        openFiles.drop(file)
        try Self.check(unsafe unlinkat(directory.number, file, 0), file)
        openFiles.drop(file)
    }

    func syncDirectory() throws(DiskError) {
        try Self.check(fsync(directory.number), ".")
    }

    /// Says no before the disk is full to the last byte: others need room as well.
    private func checkSpace(for file: String, byteCount: Int) throws(DiskError) {
        guard byteCount >= 0 else { throw .failed(file, number: EINVAL) }
        var free: UInt64 = 0
        guard unsafe conclave_linux_free_bytes(directory.number, &free) == 0 else { return }
        guard UInt64(byteCount) <= free else { throw .full(file) }
    }

    /// With zeros that are really written: a later sync of data in their place changes nothing but
    /// the data.
    private func fill(
        _ descriptor: Descriptor, _ file: String, byteCount: Int
    ) throws(DiskError) {
        guard byteCount > 0 else { return }
        let number = conclave_linux_allocate(descriptor.number, 0, byteCount)
        if number < 0, number != -EOPNOTSUPP { throw Self.error(file, -number) }
        var offset = 0
        while offset < byteCount {
            let count = min(byteCount - offset, Self.zeroes.count)
            let start = ContinuousClock.now
            try Self.write(Self.zeroes, count: count, to: descriptor, at: offset, file)
            // Piece by piece: one sync of it all would hold up those of the messages for as long.
            try Self.check(fdatasync(descriptor.number), file)
            offset += count
            if offset < byteCount { Self.leaveTheDisk(after: start.duration(to: .now)) }
        }
    }

    /// For three times as long as it was taken, but for 5 ms at most: others wait for it.
    private static func leaveTheDisk(after taken: Duration) {
        let pause = (min(taken * 3, .milliseconds(5)) / .milliseconds(1)).rounded(.up)
        poll(nil, 0, Int32(pause))
    }

    private func open(
        _ name: String, flags: Int32 = O_RDWR
    ) throws(DiskError) -> Descriptor {
        let number = unsafe conclave_linux_open_at(
            directory.number, name, flags | O_NOFOLLOW, 0o600)
        guard number >= 0 else { throw Self.error(name, -number) }
        return Descriptor(owning: number)
    }

    private func openKept(_ file: String) throws(DiskError) -> Descriptor {
        if let descriptor = openFiles.find(file) { return descriptor }
        try Self.check(name: file)
        let descriptor = try open(file)
        openFiles.put(descriptor, as: file)
        return descriptor
    }

    private static func write(
        _ bytes: [UInt8], count: Int, to descriptor: Descriptor, at offset: Int, _ file: String
    ) throws(DiskError) {
        var done = 0
        while done < count {
            let written = unsafe bytes.withUnsafeBytes { all in
                let rest = unsafe UnsafeRawBufferPointer(rebasing: all[done..<count])
                return unsafe pwrite(
                    descriptor.number, rest.baseAddress, rest.count, offset + done)
            }
            if written >= 0 {
                done += written
            } else if errno != EINTR {
                throw error(file, errno)
            }
        }
    }

    private static func isUsable(_ name: String) -> Bool {
        !name.isEmpty && name != lockName && !name.hasPrefix(".")
            && name.utf8.count <= maximumNameByteCount
            && !name.utf8.contains { $0 == UInt8(ascii: "/") || $0 == 0 }
    }

    private static func check(name: String) throws(DiskError) {
        guard isUsable(name) else { throw .failed(name, number: EINVAL) }
    }

    private static func check(_ result: Int32, _ file: String) throws(DiskError) {
        guard result == 0 else { throw error(file, errno) }
    }

    static func error(_ file: String, _ number: Int32) -> DiskError {
        switch number {
        case ENOENT: .notFound(file)
        case ENOSPC, EDQUOT: .full(file)
        default: .failed(file, number: number)
        }
    }
}
