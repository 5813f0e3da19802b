import ConclaveBase
import ConclaveGroup

/// Snapshots of the own state, piece by piece, so that no turn takes long.
extension Replica {
    /// More of something large waits than one turn may do: another turn is wanted at once.
    package var hasWork: Bool {
        guard !hasFailed else { return false }
        return hasDigestWork || (ownSnapshot != nil && snapshots.hasRoom)
            || teachings.contains { $0.hasWork(among: teachings.count) }
    }

    func takeSnapshotIfDue() {
        guard startTags.isEmpty, let journal, !snapshots.isBusy, learning == nil,
            journal.byteCountSinceSnapshot > settings.snapshotEveryByteCount
                || viewJournal.chain.count > 256,
            !isOrderOnDisk, let snapshot = order.snapshot()
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
