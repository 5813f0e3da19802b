import ConclaveReactor
import Glibc

/// Directories that nobody but this user may change.
enum PrivateDirectory {
    /// Makes it, and what is missing above it; one that is somebody else's, or that others may write
    /// to, is refused. Links are for directories that only an administrator can have made.
    static func make(_ path: String, followsLink: Bool) throws(StartFault) {
        var end = path.startIndex
        while end < path.endIndex {
            let next = path.index(after: end)
            end = path[next...].firstIndex(of: "/") ?? path.endIndex
            let part = String(path[..<end])
            guard unsafe mkdir(part, 0o700) != 0, errno != EEXIST else { continue }
            let number = errno
            // A directory above that cannot be written may well exist.
            guard end < path.endIndex else { throw failure("cannot make", path, number) }
        }
        try check(path, followsLink: followsLink)
    }

    private static func check(_ path: String, followsLink: Bool) throws(StartFault) {
        var status = stat()
        let result = unsafe followsLink ? stat(path, &status) : lstat(path, &status)
        guard result == 0 else { throw failure("cannot use", path, errno) }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            throw StartFault(.data, "\(path) is not a directory")
        }
        guard status.st_uid == geteuid() else {
            throw StartFault(
                .data, "the directory \(path) belongs to user \(status.st_uid), not to \(geteuid())"
            )
        }
        let others = S_IWGRP | S_IWOTH
        guard status.st_mode & others == 0 else {
            throw StartFault(
                .data,
                "others than its owner may write to the directory \(path): chmod go-w \(path)")
        }
    }

    private static func failure(_ what: String, _ path: String, _ number: Int32) -> StartFault {
        let meaning = SystemError(call: "", number: number).meaning
        return StartFault(.disk, "\(what) the directory \(path): \(meaning)")
    }
}
