import ConclaveBase
import ConclaveGroup
import ConclaveReplication

/// What members say of their disks, held against what is there at that moment.
extension GroupWatch {
    /// A member sends a frame to another one.
    func sent(_ frame: [UInt8], by index: Int) {
        guard let daemon = cluster.hosts[index].daemon, let pledge = Pledge(in: frame),
            daemon.lineage != .none, !isStale(daemon)
        else { return }
        if case .promised(let epoch, let ballot, _) = pledge {
            ballots.promised(ballot, after: epoch, by: cluster.nodes[index])
        }
        let disk = cluster.hosts[index].disk
        pledges.note(
            pledge, of: index, in: daemon.lineage, eraseCount: disk.eraseCount,
            holding: daemon.heldVector)
        guard found == nil, occasions.isPledgeTaken(isBusy: disk.isBusy) else { return }
        do throws(Violation) {
            guard let there = try readDisk(of: index) else { return }
            try check(there, on: index, when: "if its power went when it spoke")
            if case .founded(let lineage) = pledge, there.lineage != lineage {
                throw Violation(
                    .oneChainOfViews,
                    "it has said that it has recorded the founding \(lineage), and has not")
            }
        } catch {
            found = named(error, index)
        }
    }

    private func check(
        _ there: Remembered, on index: Int, when: String
    ) throws(Violation) {
        try pledges.check(
            there, on: index, eraseCount: cluster.hosts[index].disk.eraseCount,
            mayMissEnd: cluster.hosts[index].damage?.mayHideEnd ?? false, when: when)
    }

    private func named(_ violation: Violation, _ index: Int) -> Violation {
        Violation(violation.promise, "node \(cluster.nodes[index]): \(violation.message)")
    }

    /// What a start would find if the power went now; with one copy of the view journal at times,
    /// since either must be enough. Nil: what is there was damaged.
    private func readDisk(of index: Int) throws(Violation) -> Remembered? {
        try readDisk(cluster.hosts[index].disk.image, of: index)
    }

    private func readDisk(_ image: DiskImage, of index: Int) throws(Violation) -> Remembered? {
        guard cluster.hosts[index].damage == nil else { return nil }
        var image = image
        let copies = ((try? image.list()) ?? []).filter(Self.copiesOfViewJournal.contains)
        let leftOut = occasions.copyLeftOut()
        if let leftOut, copies.count > 1 { image = image.without(copies[leftOut]) }
        do throws(FatalFault) {
            return try remembered(image, index, knownBatches[index])
        } catch {
            throw Violation(
                .badInput, "would not find its journal whole if its power went: \(error)")
        }
    }

    private static var copiesOfViewJournal: [String] { ["views.a", "views.b"] }

    /// V8: at the end of a turn, what is acknowledged is synced.
    func checkAcknowledged(by daemon: Daemon, on index: Int) throws(Violation) {
        if let found { throw found }
        let disk = cluster.hosts[index].disk
        guard shape.durability == .disk, disk.byteCountUnderWay > 0 else { return }
        occasions.noteTurn(byteCountUnderWay: disk.byteCountUnderWay)
        guard occasions.isTurnDue, !isStale(daemon), let (epoch, vector) = daemon.acknowledged,
            vector != lastAcknowledged[index]
        else { return }
        occasions.takeTurn()
        lastAcknowledged[index] = vector
        do throws(Violation) {
            guard let there = try readDisk(of: index), there.epoch == epoch else { return }
            try pledges.check(there, holds: vector, when: "if its power went when it acknowledged")
        } catch {
            throw named(error, index)
        }
    }

    /// At the end of a turn: where segments begin and end is where most can be lost.
    func lookAtSegments(of daemon: Daemon, on index: Int) throws(Violation) {
        noteSegment(on: index)
        let host = cluster.hosts[index]
        if host.disk.writtenSegment != host.writtenSegment {
            host.writtenSegment = host.disk.writtenSegment
            faults.provokeAtFirstBatch(on: index)
        }
        guard host.disk.lostSegmentCount != host.lostSegmentCount else { return }
        host.lostSegmentCount = host.disk.lostSegmentCount
        guard host.disk.isBusy, daemon.lineage != .none, !isStale(daemon) else { return }
        do throws(Violation) {
            guard let there = try readDisk(host.disk.imageWithNames, of: index) else { return }
            try check(there, on: index, when: "if its power went when it gave up a segment")
        } catch {
            throw named(error, index)
        }
    }

    /// V8: what a daemon has acknowledged when its process ends is there at the next start.
    func noteEnd(of index: Int) {
        guard shape.durability == .disk, let daemon = cluster.hosts[index].daemon,
            !isStale(daemon), let (epoch, vector) = daemon.acknowledged
        else { return }
        pledges.acknowledged(
            vector, in: epoch, of: daemon.lineage, by: index,
            eraseCount: cluster.hosts[index].disk.eraseCount)
    }

    /// A new segment is missed from now on when it is gone. Its name is synced, and whatever the daemon
    /// had to write about it is on the disk.
    private func noteSegment(on index: Int) {
        let host = cluster.hosts[index]
        let newest = host.disk.newestSegment
        guard newest != host.recordedSegment else { return }
        if newest < host.recordedSegment { host.recordedSegment = "" }
        guard host.disk.isIdle else { return }
        host.recordedSegment = newest
        if !newest.isEmpty { faults.provokeAtSegment(on: index) }
    }

    /// A daemon has read its disk.
    func checkPledges(ofStarted daemon: Daemon, on index: Int) throws(Violation) {
        guard checkedStarts[index] != cluster.hosts[index].startCount else { return }
        checkedStarts[index] = cluster.hosts[index].startCount
        lastAcknowledged[index] = []
        let remembered = daemon.remembered
        if remembered.isLost || remembered.epoch == .none { return pledges.forget(index) }
        do throws(Violation) {
            try check(remembered, on: index, when: "after a restart, without a word")
        } catch {
            throw named(error, index)
        }
    }

    /// Records with what they say of the messages that are there.
    func notePledges(of event: GroupEvent, by daemon: Daemon, on index: Int) {
        switch event {
        case .promised(let epoch, _), .accepted(let epoch, _):
            guard let (current, vector) = daemon.acknowledged, current == epoch else { return }
            noteRecord(of: epoch, acknowledged: vector, by: daemon, on: index)
        case .installed(let view) where view.view.contains(cluster.hosts[index].member):
            let vector = view.view.members.map { _ in 0 as UInt64 }
            noteRecord(of: view.view.epoch, acknowledged: vector, by: daemon, on: index)
        default: break
        }
    }

    private func noteRecord(
        of epoch: Epoch, acknowledged vector: [UInt64], by daemon: Daemon, on index: Int
    ) {
        pledges.recorded(
            epoch, of: index, in: daemon.lineage,
            eraseCount: cluster.hosts[index].disk.eraseCount, acknowledged: vector)
    }
}
