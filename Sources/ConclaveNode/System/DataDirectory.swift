import ConclaveBase
import ConclaveReactor
import ConclaveReplication
import Glibc

/// A daemon's directory: whose it is stands in `identity`, the files of the group lie in `journal`.
///
/// Another node's directory is refused before anything in it is touched: a vote belongs to a NodeID
/// (V13, V24). Of which group it is says the lineage in its journal, and who may be a member the
/// list in there: both are looked at by the other members. Which disk it is was drawn when the first
/// daemon started there (see `Incarnation`). Whether what is answered is on the disk stands there as
/// well: what a daemon has written while it was not says nothing of a state (V26).
struct DataDirectory {
    /// Grows when a daemon of before could not read what one of today writes, or one of today what was
    /// written before: of the files, and of the commands and the state in them.
    static let format = 9

    let path: String
    let node: NodeID
    let durability: Durability

    var journalPath: String { path + "/journal" }

    private var identityPath: String { path + "/identity" }

    private var identity: String {
        "conclave format \(Self.format)\nnode \(node)\ndurability \(durability)\n"
    }

    private func identity(disk: UInt64) -> String {
        identity + Self.diskWord + String(disk, radix: 16) + "\n"
    }

    private static let diskWord = "disk "

    /// The disk's number, if one stands there.
    var disk: UInt64? {
        guard let text = try? FileBytes.read(identityPath, maximum: 4_096) else { return nil }
        return Self.disk(in: String(decoding: text, as: UTF8.self))
    }

    private static func disk(in text: String) -> UInt64? {
        let line = text.split(separator: "\n").first { $0.hasPrefix(diskWord) }
        let disk = line.flatMap { UInt64($0.dropFirst(diskWord.count), radix: 16) }
        return disk.flatMap { $0 < Incarnation.diskCount ? $0 : nil }
    }

    /// Makes the directory if it is not there.
    func make() throws(StartFault) {
        try PrivateDirectory.make(path, followsLink: true)
    }

    /// Refuses a directory of somebody else; marks one that is nobody's yet.
    ///
    /// - Precondition: this process has the lock of `journalPath`.
    func claim(disk: UInt64) throws(StartFault) {
        let found: [UInt8]
        do throws(SystemError) {
            found = try FileBytes.read(identityPath, maximum: 4_096)
        } catch {
            guard error.number == ENOENT else {
                throw StartFault(.data, "cannot read \(identityPath): \(error.meaning)")
            }
            return try write(identity(disk: disk))
        }
        let text = String(decoding: found, as: UTF8.self)
        guard text.hasPrefix(identity) else { throw StartFault(.data, refusal(of: text)) }
        guard let theirs = Self.disk(in: text) else {
            throw StartFault(
                .data, "\(identityPath) is damaged: it does not say which disk it is")
        }
        guard theirs == disk else {
            throw StartFault(.data, "\(identityPath) was written just now: start again")
        }
    }

    private func refusal(of found: String) -> String {
        let own = identity.split(separator: "\n")
        let theirs = found.split(separator: "\n")
        let difference = zip(own, theirs).first { $0 != $1 }
        guard own.count <= theirs.count, let difference else {
            return "\(identityPath) is damaged"
        }
        let refusal =
            "the data directory \(path) is of \"\(difference.1)\", but configured is "
            + "\"\(difference.0)\""
        guard difference.1.hasPrefix("durability") else { return refusal }
        return refusal + "; a group keeps the durability that it began with: another one begins "
            + "with empty directories on all machines"
    }

    /// Whole or not at all, whatever happens to the machine.
    private func write(_ identity: String) throws(StartFault) {
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
