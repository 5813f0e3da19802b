import ConclaveBase
import ConclaveGroup

/// Snapshots of the own state, piece by piece, so that no turn takes long.
extension Replica {
    /// Nothing else is worth a look.
    var mayHaveWork: Bool {
        digest != nil || hasDueDigest || isTeaching || snapshots.isBusy || isSnapshotDue
    }

    /// Whether more of something large waits than one turn may do.
    var isWorkLeft: Bool {
        digest != nil || hasDueDigest || (ownSnapshot != nil && snapshots.hasRoom)
    }

    /// When the next part of a snapshot is to be sent to a learner.
    var nextPartDue: Instant {
        guard isTeaching else { return .distantFuture }
        let count = teachings.count
        var earliest = Instant.distantFuture
        for teaching in teachings {
            earliest = min(earliest, teaching.partDue(among: count) ?? .distantFuture)
        }
        return earliest
    }

    var isSnapshotDue: Bool {
        guard let journal else { return false }
        return journal.byteCountSinceSnapshot > settings.snapshotEveryByteCount
            || viewJournal.chain.count > 256
    }

    func takeSnapshotIfDue() {
        guard startTags.isEmpty, isSnapshotDue, !snapshots.isBusy, learning == nil,
            salvage?.isDecided != true, !isOrderOnDisk, let snapshot = order.snapshot()
        else { return }
        snapshots.begin(snapshot.header, on: disk)
        ownSnapshot = snapshot
    }

    /// The snapshot on the disk may be ahead of the order, if learning it was broken off.
    private var isOrderOnDisk: Bool {
        guard let current = order.current, let durableSnapshot,
            durableSnapshot.current.lineage == current.lineage
        else { return false }
        return SegmentJournal.Mark(epoch: current.epoch, vector: order.delivered)
            .isCovered(by: durableSnapshot.mark)
    }

    /// Hands the next piece to the disk.
    func writeSnapshot() {
        giveUpOrphan()
        guard ownSnapshot != nil, snapshots.hasRoom else { return }
        if let piece = ownSnapshot?.next(settings.snapshotPartByteCount) {
            snapshots.append(piece, to: disk, tag: nextTag())
        } else {
            ownSnapshot = nil
            snapshots.finish(on: disk, tag: nextTag())
        }
    }

    /// A teacher's snapshot takes its place.
    func giveUpOwnSnapshot() {
        guard ownSnapshot != nil else { return }
        ownSnapshot = nil
        snapshots.abandon(on: disk)
    }

    /// Gives up a file whose rest will not come: the transfer that it came from is over.
    func giveUpOrphan() {
        guard ownSnapshot == nil, learning?.incoming?.isBegun != true else { return }
        snapshots.abandon(on: disk)
    }
}
