import ConclaveBase
import ConclaveGroup
import ConclaveWire

/// What a start finds on the disk: the order as far as it is known to be delivered, and what was
/// received beyond.
struct Recovery<Machine: StateMachine> {
    let viewJournal: ViewJournal
    var snapshots: SnapshotStore
    var order: AppliedOrder<Machine>
    /// Of the newest epoch: received, synced, and not known to be delivered.
    var held: HeldMessages
    /// The order reaches the beginning of the newest view's epoch.
    var hasState: Bool
    var segments: RecoveredSegments?
    /// Of the newest snapshot of this history.
    var snapshot: SnapshotHeader?
    /// A damaged journal that is to be set aside, and why; the rest of this is blank then.
    var lost: (journal: LostJournal, reason: String?)?

    /// Recovers what is there. If acknowledged data may be missing, all of it counts for nothing:
    /// this member begins again as a blank one that remembers to which group it belongs (V30).
    static func orSetAside(
        settings: ReplicaSettings, blank: Machine, disk: any Disk
    ) throws(FatalFault) -> Recovery {
        do throws(FatalFault) {
            return try Recovery(settings: settings, blank: blank, disk: disk)
        } catch {
            guard case .damaged(let reason) = error else { throw error }
            let lost = try LostJournal(on: disk, settings: settings)
            var recovery = Recovery(
                settings: settings, blank: blank,
                viewJournal: ViewJournal(
                    after: lost, owner: settings.own.node,
                    smallestFile: settings.viewJournalByteCount))
            recovery.lost = (lost, reason)
            return recovery
        }
    }

    init(
        settings: ReplicaSettings, blank: Machine, disk: any Disk, known: KnownBatches? = nil
    ) throws(FatalFault) {
        let (journal, isBlank) = try ViewJournal.recover(
            from: disk, owner: settings.own.node, smallestFile: settings.viewJournalByteCount)
        if isBlank { try Self.refuseRemains(on: disk) }
        self.init(settings: settings, blank: blank, viewJournal: journal)
        let memory = journal.memory
        if let loss = memory.loss, memory.current == nil {
            lost = (try LostJournal(rest: loss, on: disk), nil)
        } else {
            try Self.refuseDiffering(disk)
            if memory.current == nil { try Self.refuseSegments(on: disk) }
        }
        guard settings.durability == .disk, memory.lineage != .none else { return }
        try restoreSnapshot(from: disk, own: settings.own)
        var found = try RecoveredSegments(
            from: disk, owner: settings.own.node, lineage: memory.lineage, mark: viewJournal.mark,
            plant: settings.plant, known: known)
        try found.check()
        segments = found
        replay(found.records, from: blank)
    }

    private init(settings: ReplicaSettings, blank: Machine, viewJournal: ViewJournal) {
        self.viewJournal = viewJournal
        snapshots = SnapshotStore(owner: settings.own.node)
        order = AppliedOrder(
            blank: blank, recentByteCount: settings.recentByteCount,
            digestPace: settings.digestPace, plant: settings.plant)
        held = HeldMessages(delivered: [])
        hasState = false
    }

    /// What is here led to a state that is not the group's: nothing may be built on it.
    private static func refuseDiffering(_ disk: any Disk) throws(FatalFault) {
        let names: [String]
        do { names = try disk.list() } catch { throw .disk(error) }
        guard names.contains(LostJournal.differingMarker) else { return }
        throw .damaged(
            "\(LostJournal.differingMarker): this member's state was not the one that a "
                + "majority of the members had")
    }

    /// The view journal is the first that a blank member writes: what lies there without it has
    /// lost it.
    private static func refuseRemains(on disk: any Disk) throws(FatalFault) {
        let names: [String]
        do { names = try disk.list().sorted() } catch { throw .disk(error) }
        let remains = names.first {
            SegmentFormat.number(of: $0) != nil || SpareFiles.number(of: $0) != nil
                || SnapshotFile.isName($0) || LostJournal.isAside($0)
        }
        guard let remains else { return }
        throw .damaged(
            "both copies of the view journal are gone, beside \(remains): a member that went on "
                + "without them could break what it promised")
    }

    /// Before the first message of a group is written, the view that it belongs to is.
    private static func refuseSegments(on disk: any Disk) throws(FatalFault) {
        let names: [String]
        do { names = try disk.list().sorted() } catch { throw .disk(error) }
        let segment = names.first {
            SegmentFormat.number(of: $0) != nil || SpareFiles.number(of: $0) != nil
        }
        guard let segment else { return }
        throw .damaged(
            "the view journal knows of no view, beside \(segment): a member that went on without "
                + "it could break what it promised")
    }

    private mutating func restoreSnapshot(
        from disk: any Disk, own: Member
    ) throws(FatalFault) {
        let found = try snapshots.recover(
            from: disk, lineage: viewJournal.memory.lineage, like: order.machine)
        let known = viewJournal.mark.snapshot
        guard found?.header.version ?? .zero >= known else {
            throw .damaged(
                "\(SnapshotFile.name(known)) is gone: acknowledged data may be missing")
        }
        guard let found else { return }
        snapshot = found.header
        order.restore(found.header, found.machine)
        viewJournal.takeUp(found.header.current, as: own)
    }

    /// The views after `start`; if state was lost since, from the last one that says so: nothing of
    /// before counts any more (V26).
    private func viewsToReplay(after start: Epoch) -> ArraySlice<NextView> {
        let later = viewJournal.chain.drop { $0.epoch <= start }
        let loss = later.lastIndex { $0.installed.stateWasLost }
        return later[(loss ?? later.startIndex)...]
    }

    private func coversTrim(of next: NextView) -> Bool {
        held.vector.count == next.trim.count
            && zip(held.vector, next.trim).allSatisfy { $0 >= $1 }
    }

    /// Delivers every epoch whose trim is known; holds the rest, never applies it (V22).
    private mutating func replay(_ records: [JournalRecord], from blank: Machine) {
        var byEpoch: [Epoch: [OrderedMessage]] = [:]
        for record in records { byEpoch[record.epoch, default: []].append(record.message) }
        let start = order.current?.epoch ?? .none
        var effects: [Machine.Effect] = []
        held = HeldMessages(delivered: order.delivered)
        for message in byEpoch[start] ?? [] { _ = held.append(message) }
        for next in viewsToReplay(after: start) {
            if next.installed.stateWasLost {
                order.reset(to: blank)
            } else {
                guard next.epoch == (order.current?.epoch ?? .none).next, coversTrim(of: next)
                else { return }
                for message in held.deliver(below: next.trim) {
                    order.apply(message, effects: &effects)
                }
            }
            order.install(next, effects: &effects)
            effects.removeAll(keepingCapacity: true)
            held = HeldMessages(delivered: order.delivered)
            for message in byEpoch[next.epoch] ?? [] { _ = held.append(message) }
        }
        // What was found out then was dealt with then.
        _ = order.takeVerdicts()
        hasState = order.current != nil && order.current?.epoch == viewJournal.memory.epoch
    }
}
