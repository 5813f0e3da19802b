import CConclaveLinux
import ConclaveReactor
import Glibc

/// Taking the directory itself.
extension FileStore {
    static func openDirectory(_ path: String) throws(FileDiskFault) -> Descriptor {
        var number = openDirectoryNumber(path)
        if number == -ENOENT {
            guard unsafe mkdir(path, 0o700) == 0 else {
                throw .failed(path: path, SystemError(call: "mkdir", number: errno))
            }
            // The name of the directory itself has to survive as well.
            let parent = openDirectoryNumber(path + "/..")
            if parent >= 0 { _ = fsync(Descriptor(owning: parent).number) }
            number = openDirectoryNumber(path)
        }
        guard number >= 0 else {
            if number == -ENOTDIR { throw .notADirectory(path: path) }
            throw .failed(path: path, SystemError(call: "open", number: -number))
        }
        return Descriptor(owning: number)
    }

    private static func openDirectoryNumber(_ path: String) -> Int32 {
        unsafe conclave_linux_open_at(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0)
    }

    static func takeLock(
        in directory: Descriptor, path: String
    ) throws(FileDiskFault) -> Descriptor {
        let number = unsafe conclave_linux_open_at(
            directory.number, lockName, O_RDWR | O_CREAT | O_NOFOLLOW, 0o600)
        guard number >= 0 else {
            throw .notWritable(path: path, SystemError(call: "open", number: -number))
        }
        let lock = Descriptor(owning: number)
        switch conclave_linux_lock(lock.number) {
        case 0: return lock
        case -EWOULDBLOCK: throw .locked(path: path)
        case let number: throw .failed(path: path, SystemError(call: "flock", number: -number))
        }
    }

    /// Everything in the directory that is no directory.
    static func names(in directory: Descriptor) throws(SystemError) -> [String] {
        let number = unsafe conclave_linux_open_at(
            directory.number, ".", O_RDONLY | O_DIRECTORY, 0)
        guard number >= 0 else { throw SystemError(call: "open", number: -number) }
        guard let stream = unsafe fdopendir(number) else {
            let failure = errno
            _ = Glibc.close(number)
            throw SystemError(call: "fdopendir", number: failure)
        }
        defer { _ = unsafe closedir(stream) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = unsafe readdir(stream) else { break }
            guard unsafe entry.pointee.d_type != UInt8(DT_DIR) else { continue }
            names.append(
                unsafe withUnsafePointer(to: &entry.pointee.d_name) { start in
                    unsafe String(
                        cString: UnsafeRawPointer(start).assumingMemoryBound(to: CChar.self))
                })
        }
        guard errno == 0 else { throw SystemError(call: "readdir", number: errno) }
        return names
    }
}
