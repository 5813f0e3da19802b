/// The files of one data directory, as the layers without I/O see them. Names are flat.
///
/// Reading is immediate and is done at start, or of files that are complete. Everything that
/// changes a file is submitted to a lane and completes later, in order within its lane, as a
/// `DiskInput`; lanes do not wait for each other. A completed write is only durable once a sync
/// that *started* after it has completed; a rename, creation or removal once the directory was
/// synced after it. A lane in which an operation has failed carries out nothing more: what was
/// queued behind it, such as the rename of a file whose sync failed, must not happen.
///
/// An operation that finds no room has not failed. Its lane says `full`, once, and tries it again from
/// its beginning until there is room, then says `hasRoom` and goes on: nothing is lost or done out of
/// order, but what is queued behind it waits. Only a sync that finds no room has failed like any
/// other: nothing is known about what it was to cover.
package protocol Disk: AnyObject {
    func list() throws(DiskError) -> [String]
    func byteCount(of file: String) throws(DiskError) -> Int
    /// At most `count` bytes from `offset`; fewer only at the end of the file.
    func read(_ file: String, at offset: Int, count: Int) throws(DiskError) -> [UInt8]
    /// `tag` comes back with the completion. Nobody waits for an operation of tag 0: that it failed is
    /// told, that it completed need not be, and a write may be left for the lane's next operation.
    func submit(_ operation: DiskOperation, lane: DiskLane, tag: UInt64)
}

/// Three queues, so that a small sync of a promise never waits behind a segment or a snapshot.
package enum DiskLane: Int, CaseIterable, Sendable {
    case views, segments, snapshots
}

package enum DiskOperation: Sendable {
    /// Makes a file of that size, filled with zeros (so that later syncs need no metadata); an
    /// existing one of that name is replaced. Its contents are synced before it has its name, so
    /// whoever finds the name finds the whole size.
    case create(String, byteCount: Int)
    case write(String, at: Int, bytes: [UInt8])
    case sync(String)
    case rename(String, to: String)
    case remove(String)
    case syncDirectory

    /// Whether it can find no room, leave nothing of itself behind, and be tried again.
    package var mayWaitForRoom: Bool {
        switch self {
        case .create, .write, .rename: true
        case .sync, .remove, .syncDirectory: false
        }
    }
}

package enum DiskInput: Equatable, Sendable {
    case completed(tag: UInt64)
    /// After a failure nothing is known about what reached the disk: the daemon ends (V31).
    case failed(tag: UInt64, DiskError)
    /// There is no room for an operation on that file; nothing of this lane completes until there is.
    case full(DiskLane, file: String)
    /// The lane goes on.
    case hasRoom(DiskLane)
}

package enum DiskError: Error, Equatable, Sendable {
    case notFound(String)
    case full(String)
    /// `number` is the errno.
    case failed(String, number: Int32)
}
