import ConclaveBase

/// What befalls disks behind their daemons' backs.
extension FaultInjector {
    func erase(_ host: Int) {
        guard mayErase?(host) ?? false else { return }
        cluster.losePower(on: host)
        cluster.hosts[host].disk.erase()
        cluster.hosts[host].wasErased = true
        erased?(host)
        cluster.scheduleStart(of: host, after: downTime())
    }

    /// Somebody finds the disk again. What was promised on the newer one is known nowhere.
    func putBackOlderDisk(of host: Int) {
        guard cluster.hosts[host].disk.hasOlder, mayErase?(host) ?? false else { return }
        timeline.trace.line(at: timeline.now, "OLDER DISK of host \(host)")
        cluster.losePower(on: host)
        cluster.hosts[host].disk.putBackOlder()
        cluster.hosts[host].wasErased = true
        erased?(host)
        cluster.scheduleStart(of: host, after: downTime())
    }

    /// Damages what was synced on a disk. While the daemon runs nobody notices; so most are started
    /// again soon.
    func damage(_ host: Int, _ kind: FaultKind) {
        guard mayErase?(host) ?? false else { return }
        let isDown = cluster.hosts[host].daemon == nil
        if kind == .loseFile || random.chance(perMille: 600) {
            if random.chance(perMille: 500) { losePower(host) } else { kill(host) }
        }
        let disk = cluster.hosts[host].disk
        let names = ((try? disk.list()) ?? []).filter {
            !$0.hasPrefix("aside") && !$0.hasPrefix("spare") && !$0.hasSuffix(".spare")
        }
        guard !names.isEmpty else { return }
        // The last of what was synced is the hardest to miss.
        let newest = names.filter { $0.hasPrefix("segment") }.max()
        let isNewest = random.chance(perMille: 300)
        let name = isNewest ? newest ?? names[0] : WorldShape.pick(names, &random)
        damage(host, kind, name, isDown: isDown)
        switch kind {
        case .unreadable: disk.makeUnreadable(name)
        case .loseFile: disk.lose(name)
        case _ where random.chance(perMille: 150):
            for file in names where file.hasPrefix("views") { disk.rotBeginning(of: file) }
            cluster.hosts[host].damage?.mayLoseJournal = true
        default: disk.rot(name)
        }
    }

    /// The hardest of it to miss: no record may speak of it yet, and the others may have delivered it.
    func rotNewest(of host: Int) {
        let disk = cluster.hosts[host].disk
        let segments = ((try? disk.list()) ?? []).filter { $0.hasPrefix("segment") }
        guard let newest = disk.newestSynced(of: segments), mayErase?(host) ?? false else { return }
        damage(host, .rotNewest, newest)
        disk.rotNewest(of: newest)
        losePower(host)
    }

    func damage(_ host: Int, _ kind: FaultKind, _ name: String, isDown: Bool = false) {
        timeline.trace.line(
            at: timeline.now,
            "DAMAGE \(kind.rawValue) \(name) of host \(host + 1)\(isDown ? " while down" : "")")
        let host = cluster.hosts[host]
        host.damage = kind.damage(
            to: name, recorded: host.recordedSegment,
            isFollowed: isFollowed(name, on: host.disk), atStart: host.startCount)
    }

    /// Whether there are batches behind those of a segment: the next but one is made when half of the
    /// next is written. Segments of a history that was given up follow nothing.
    private func isFollowed(_ name: String, on disk: SimulatedDisk) -> Bool {
        guard shape.majorityLostAt == nil else { return false }
        return disk.image.segments.filter { $0 > name }.count > 1
    }

    /// A host writes to another segment than before: what it still has to sync there takes long in some
    /// runs, while all else goes on.
    func provokeAtFirstBatch(on host: Int) {
        guard !isStopped, isSlowAtFirstBatch, !shape.spared.contains(host),
            batchRandom.chance(perMille: Self.slowFirstBatchesPerMille)
        else { return }
        let interval = WorldShape.logarithmic(.milliseconds(20) ... .seconds(2), &batchRandom)
        timeline.trace.line(at: timeline.now, "SLOW SEGMENT of host \(host + 1) for \(interval)")
        cluster.hosts[host].disk.stall(.segments, for: interval)
    }

    private static var slowFirstBatchesPerMille: UInt64 { 300 }

    /// The segment that a daemon writes to is gone, soon after it was recorded that there is another
    /// one for later.
    func loseSegment(of host: Int) {
        let disk = cluster.hosts[host].disk
        let names = ((try? disk.list()) ?? []).filter { $0.hasPrefix("segment") }
        guard let name = names.sorted().suffix(2).first, mayErase?(host) ?? false else { return }
        kill(host)
        damage(host, .loseFile, name)
        disk.lose(name)
    }
}
