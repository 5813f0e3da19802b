import ConclaveBase
import ConclaveGroup
import ConclaveReplication

/// What members say of their disks, held against what is there at that moment.
extension GroupWatch {
    /// Checks where nothing is on its way to the disk rarely find anything.
    private static var restedOneOf: Int { 8 }
    /// Of the turns while a sync is under way.
    private static var busyOneOf: Int { 48 }
    /// So much on its way takes more than one sync.
    private static var backlogByteCount: Int { 12 * 1024 }
    /// So many occasions in a row are as good as each other.
    private static var occasionsAlike: Int { 32 }

    /// Of the first occasions of a run all, of later ones fewer and fewer: reading a disk costs much,
    /// and a run that says a lot would do little else.
    private static func isLookedAt(_ occasion: Int) -> Bool {
        occasion % (1 + occasion / occasionsAlike) == 0
    }

    /// A member sends a frame to another one.
    func sent(_ frame: [UInt8], by index: Int) {
        guard let daemon = cluster.hosts[index].daemon, let pledge = Pledge(in: frame),
            daemon.lineage != .none, !isStale(daemon)
        else { return }
        let disk = cluster.hosts[index].disk
        pledges.note(
            pledge, of: index, in: daemon.lineage, eraseCount: disk.eraseCount,
            holding: daemon.heldVector)
        guard found == nil, isChecked(disk) else { return }
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

    private func isChecked(_ disk: SimulatedDisk) -> Bool {
        pledgeCount += 1
        guard disk.isBusy || pledgeCount % Self.restedOneOf == 0 else { return false }
        checkablePledgeCount += 1
        return Self.isLookedAt(checkablePledgeCount)
    }

    private func check(
        _ there: Remembered, on index: Int, when: String
    ) throws(Violation) {
        try pledges.check(
            there, on: index, eraseCount: cluster.hosts[index].disk.eraseCount,
            isDamaged: cluster.hosts[index].damagedAtStart != nil, when: when)
    }

    private func named(_ violation: Violation, _ index: Int) -> Violation {
        Violation(violation.promise, "node \(cluster.nodes[index]): \(violation.message)")
    }

    /// What a start would find if the power went now; with one copy of the view journal at times,
    /// since either must be enough. Nil: what is there was damaged.
    private func readDisk(of index: Int) throws(Violation) -> Remembered? {
        let host = cluster.hosts[index]
        guard host.damagedAtStart == nil else { return nil }
        var image = host.disk.image
        let copies = ((try? image.list()) ?? []).filter(Self.copiesOfViewJournal.contains)
        readCount += 1
        if copies.count > 1, readCount % 3 > 0 { image = image.without(copies[readCount % 2]) }
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
        noteTurn(hasBacklog: disk.byteCountUnderWay > Self.backlogByteCount)
        guard isReadDue, !isStale(daemon), let (epoch, vector) = daemon.acknowledged,
            vector != lastAcknowledged[index]
        else { return }
        isReadDue = false
        lastAcknowledged[index] = vector
        do throws(Violation) {
            guard let there = try readDisk(of: index), there.epoch == epoch else { return }
            try pledges.check(there, holds: vector, when: "if its power went when it acknowledged")
        } catch {
            throw named(error, index)
        }
    }

    private func noteTurn(hasBacklog: Bool) {
        if hasBacklog {
            backlogCount += 1
            if Self.isLookedAt(backlogCount) { isReadDue = true }
        } else {
            busyTurnCount += 1
            let (occasion, rest) = busyTurnCount.quotientAndRemainder(dividingBy: Self.busyOneOf)
            if rest == 0, Self.isLookedAt(occasion) { isReadDue = true }
        }
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
