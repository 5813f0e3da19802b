import ConclaveBase
import ConclaveGroup

/// What exists only while a view is installed: the table, the multicast and the pulse of its epoch,
/// and what is known of each peer's path.
final class EpochState {
    let view: View
    let own: Rank
    let multicast: Multicast
    let pulse: Pulse
    /// No more traffic in this epoch.
    var isWedged = false
    /// Who said `ready` on the connection that stands: row writes may go there (V2).
    var isReady: RankSet
    /// Whose rows are to be looked at.
    var isDirty: RankSet
    var confirmed = Instant.distantPast
    /// A peer's row may say that more is confirmed. A member that is a majority by itself needs none.
    var mayConfirm: Bool
    var marks = ReadMarks()

    /// For each rank, when it last moved, or owed nothing (V10).
    private var progress: [UInt64]
    private var movedAt: [Instant]

    init(view: View, own: Rank, settings: ReplicaSettings, now: Instant) {
        self.view = view
        self.own = own
        multicast = Multicast(
            view: view, own: own,
            settings: MulticastSettings(
                slotCount: settings.slotCount, slotByteCount: settings.slotByteCount,
                plant: settings.plant))
        pulse = Pulse(table: multicast.table, quorum: view.quorum, now: now)
        let count = view.members.count
        isReady = RankSet(settings.plant == .rowsBeforeReady, count: count)
        isDirty = RankSet(false, count: count)
        mayConfirm = view.quorum == 1
        progress = Array(repeating: 0, count: count)
        movedAt = Array(repeating: now, count: count)
    }

    /// Who must be suspected now, and for how long it was silent.
    func suspects(
        settings: ReplicaSettings, now: Instant
    ) -> [(node: NodeID, reason: DepartureReason, silent: Interval)] {
        var result: [(NodeID, DepartureReason, Interval)] = []
        for rank in view.members.indices where rank != own.index {
            let node = view.members[rank].node
            let silent = now.since(pulse.lastHeard[rank])
            if silent > settings.suspicion {
                result.append((node, .silent, silent))
                continue
            }
            let moved = multicast.progress(of: rank)
            if moved != progress[rank] || !multicast.isBehind(rank) {
                progress[rank] = moved
                movedAt[rank] = now
            } else if now.since(movedAt[rank]) > settings.stall {
                result.append((node, .stalled, now.since(movedAt[rank])))
            }
        }
        return result
    }
}
