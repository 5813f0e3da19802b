import ConclaveBase
import ConclaveReactor
import Glibc

/// A daemon's directory: whose it is stands in `identity`, the files of the group lie in `journal`.
///
/// Another node's directory is refused before anything in it is touched: a vote belongs to a NodeID
/// (V13, V24). Of which group it is says the lineage in its journal, and who may be a member the
/// list in there: both are looked at by the other members.
struct DataDirectory {
    /// Grows when a daemon of before could not read what one of today writes, or one of today what was
    /// written before: of the files, and of the commands and the state in them.
    static let format = 2

    let path: String
    let node: NodeID

    var journalPath: String { path + "/journal" }

    private var identityPath: String { path + "/identity" }

    private var identity: String {
        "conclave format \(Self.format)\nnode \(node)\n"
    }

    /// Makes the directory if it is not there.
    func make() throws(StartFault) {
        try PrivateDirectory.make(path, followsLink: true)
    }

    /// Refuses a directory of somebody else; marks one that is nobody's yet.
    ///
    /// - Precondition: this process has the lock of `journalPath`.
    func claim() throws(StartFault) {
        let found: [UInt8]
        do throws(SystemError) {
            found = try FileBytes.read(identityPath, maximum: 4_096)
        } catch {
            guard error.number == ENOENT else {
                throw StartFault(.data, "cannot read \(identityPath): \(error.meaning)")
            }
            return try write()
        }
        let text = String(decoding: found, as: UTF8.self)
        // What stands behind was written by an earlier daemon, and counts no more.
        guard text.hasPrefix(identity) else { throw StartFault(.data, refusal(of: text)) }
    }

    private func refusal(of found: String) -> String {
        let own = identity.split(separator: "\n")
        let theirs = found.split(separator: "\n")
        let difference = zip(own, theirs).first { $0 != $1 }
        guard own.count <= theirs.count, let difference else {
            return "\(identityPath) is damaged"
        }
        return "the data directory \(path) is of \"\(difference.1)\", but configured is "
            + "\"\(difference.0)\""
    }

    /// Whole or not at all, whatever happens to the machine.
    private func write() throws(StartFault) {
        let unfinished = identityPath + ".new"
        do throws(SystemError) {
            try FileBytes.write(Array(identity.utf8), to: unfinished)
            guard unsafe rename(unfinished, identityPath) == 0 else {
                throw SystemError(call: "rename", number: errno)
            }
            try FileBytes.syncDirectory(path)
        } catch {
            throw StartFault(.disk, "cannot write \(identityPath): \(error)")
        }
    }
}
