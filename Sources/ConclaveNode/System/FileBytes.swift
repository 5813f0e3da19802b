import ConclaveReactor
import Glibc

/// Whole small files, for the time before the loop, and of /proc.
enum FileBytes {
    /// At most `maximum` bytes.
    static func read(_ path: String, maximum: Int) throws(SystemError) -> [UInt8] {
        let number = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard number >= 0 else { throw SystemError(call: "open", number: errno) }
        let descriptor = Descriptor(owning: number)
        var bytes = [UInt8](repeating: 0, count: maximum)
        var filled = 0
        while filled < maximum {
            let count = unsafe bytes.withUnsafeMutableBytes { all in
                unsafe Glibc.read(descriptor.number, all.baseAddress! + filled, maximum - filled)
            }
            if count == 0 { break }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw SystemError(call: "read", number: errno) }
            filled += count
        }
        bytes.removeLast(maximum - filled)
        return bytes
    }

    static func text(_ path: String, maximum: Int = 4_096) -> String? {
        guard let bytes = try? read(path, maximum: maximum) else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension FileBytes {
    /// Replaces the file, 0600, and syncs it. What is a link is left alone.
    static func write(_ bytes: [UInt8], to path: String) throws(SystemError) {
        let number = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard number >= 0 else { throw SystemError(call: "open", number: errno) }
        let descriptor = Descriptor(owning: number)
        let count = unsafe bytes.withUnsafeBytes { all in
            unsafe Glibc.write(descriptor.number, all.baseAddress, all.count)
        }
        guard count == bytes.count else {
            throw SystemError(call: "write", number: count < 0 ? errno : ENOSPC)
        }
        guard fsync(descriptor.number) == 0 else { throw SystemError(call: "fsync", number: errno) }
    }

    static func syncDirectory(_ path: String) throws(SystemError) {
        let number = unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard number >= 0 else { throw SystemError(call: "open", number: errno) }
        let descriptor = Descriptor(owning: number)
        guard fsync(descriptor.number) == 0 else { throw SystemError(call: "fsync", number: errno) }
    }
}
