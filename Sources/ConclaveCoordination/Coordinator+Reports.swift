package import ConclaveBase
package import ConclaveWire

extension Coordinator {
    package func leaderState(_ name: ObjectName) -> LeaderState {
        guard let slot = slots.index(of: name) else {
            return LeaderState(slot: name, leaders: [], standbyCount: 0, version: version)
        }
        return LeaderState(
            slot: name, places: slots.objects[slot].limit ?? 1,
            leaders: slots.holders(of: slot).map(leader).sorted { $0.place < $1.place },
            standbyCount: UInt32(slots.objects[slot].queue.count), version: version)
    }

    private func leader(_ index: Int) -> LeaderState.Leader {
        let claim = slots.claims[index]
        let session = sessions[claim.request.session]
        return LeaderState.Leader(
            session: session.id, host: session.process.host, pid: session.process.pid,
            label: session.label, place: claim.place, token: claim.token, value: claim.value,
            since: claim.since)
    }

    /// Locks whose names begin with `prefix` and come after `after`, by name: as many as an answer has
    /// room for.
    package func lockPage(prefix: String, after: ObjectName? = nil) -> ObjectPage {
        let count = ClientLimits.listedObjects
        let found = locks.sorted(prefix: prefix, after: after, maximum: count)
        var page = ObjectPage(version: version, objects: [])
        var writer = ByteWriter()
        for index in found {
            let report = report(.lock, index, in: locks)
            page.objects.append(report)
            report.encode(into: &writer)
            if writer.bytes.count >= ClientLimits.keyPage { break }
        }
        let isWhole = page.objects.count == found.count && found.count < count
        page.next = isWhole ? nil : page.objects.last?.name
        return page
    }

    /// The objects of that name, and the chain of who waits for whom: from the first waiter, or
    /// from the holder if nobody waits, to a holder that waits for nothing.
    package func why(_ name: ObjectName) -> WhyReport {
        var ignored = 0
        return why(name, lookedAt: &ignored)
    }

    /// `lookedAt` grows by the claims that were looked at: of a short answer there may be many.
    package func why(_ name: ObjectName, lookedAt count: inout Int) -> WhyReport {
        var objects: [ObjectReport] = []
        if let lock = locks.index(of: name) { objects.append(report(.lock, lock, in: locks)) }
        if let slot = slots.index(of: name) { objects.append(report(.leaderSlot, slot, in: slots)) }
        if let barrier = barriers.index(of: name) { objects.append(report(barrier: barrier)) }
        if let latch = latches.index(of: name) { objects.append(report(latch: latch)) }
        count += objects.reduce(0) { $0 + Int($1.holderCount) + Int($1.waiterCount) }
        return WhyReport(
            objects: objects, lease: leaseReport(name), group: groupSummary(name),
            chain: chain(from: name, lookedAt: &count), version: version)
    }

    private func report(_ kind: ObjectKind, _ index: Int, in table: ClaimTable) -> ObjectReport {
        let maximum = ClientLimits.listedSessions
        let object = table.objects[index]
        var report = ObjectReport(
            kind: kind, name: object.name,
            holders: table.holders(of: index).prefix(maximum).map {
                self.report(kind, table.claims[$0])
            },
            waiters: table.waiters(of: index).prefix(maximum).map {
                self.report(kind, table.claims[$0])
            },
            value: object.holders.first.map { table.claims[$0].value } ?? [], limit: object.limit)
        report.closedFor = object.closure?.delay
        report.holderCount = UInt32(clamping: object.holders.count)
        report.waiterCount = UInt32(clamping: object.waiterCount)
        return report
    }

    /// One of a slot's places is had alone.
    private func report(_ kind: ObjectKind, _ claim: Claim) -> SessionReport {
        let session = sessions[claim.request.session]
        return SessionReport(
            session: session.id, host: session.process.host, pid: session.process.pid,
            uid: session.process.uid, unit: session.process.unit, label: session.label,
            token: claim.token.number, mode: kind == .lock ? claim.mode : .exclusive,
            isUpgrading: claim.upgrade != nil, priority: claim.priority, since: claim.since,
            remaining: nil, set: waitingSet(claim))
    }

    private func waitingSet(_ claim: Claim) -> WaitingSet? {
        guard let standing = claim.standing else { return nil }
        let set = locks.set(claim.request)
        let next = set.first { locks.claims[$0].standing == .queued }
        return WaitingSet(
            standing: standing, count: UInt32(clamping: set.count),
            next: next.map { locks.name(of: $0) })
    }

    private func report(barrier index: Int) -> ObjectReport {
        let barrier = settled(index)
        let waiters = barrier.arrivals.prefix(ClientLimits.listedSessions).map { arrival in
            let session = sessions[arrival.request.session]
            return SessionReport(
                session: arrival.session, host: arrival.host, pid: arrival.pid,
                uid: session.process.uid, unit: session.process.unit, label: session.label,
                token: 0, mode: .exclusive, since: arrival.at, remaining: nil)
        }
        var report = ObjectReport(
            kind: .barrier, name: barrier.name, holders: [], waiters: waiters,
            parties: barrier.parties, generation: barrier.generation)
        report.waiterCount = UInt32(clamping: barrier.arrivals.count)
        report.group = barriers[index].group.flatMap { groupSummary($0.name) }
        report.missing = barrier.stragglers { sessions.index(of: $0) != nil }
        return report
    }

    private func groupSummary(_ name: ObjectName) -> GroupSummary? {
        guard let index = groups.index(of: name), !groups.rows[index].isEmpty else { return nil }
        let group = groups.rows[index]
        return GroupSummary(
            name: name, view: group.number, memberCount: UInt32(clamping: group.members.count))
    }

    private func chain(
        from name: ObjectName, lookedAt count: inout Int
    ) -> [WhyReport.Edge] {
        var chain: [WhyReport.Edge] = []
        var seen: Set<TaskReference> = []
        var next = firstWait(for: name)
        while let wait = next, chain.count < ClientLimits.listedEdges {
            let claim = table(wait.kind).claims[wait.claim]
            let object = table(wait.kind).objects[claim.object]
            let holders = [object.holders, object.reserved].flatMap {
                $0.all(in: table(wait.kind).claims)
            }
            guard let first = holders.first(where: { $0 != wait.claim }),
                seen.insert(claim.task).inserted
            else { break }
            let holder = table(wait.kind).claims[first]
            chain.append(
                WhyReport.Edge(
                    waiter: claim.task.session, kind: wait.kind, name: object.name,
                    holder: holder.task.session, isReserved: !holder.isHeld))
            count += holders.count + table(wait.kind).waitCount(of: holder.task)
            next = seen.contains(holder.task) ? nil : firstWait(of: holder.task)
        }
        return chain
    }

    /// The claim that waits first for an object of that name, or else what its holder waits for.
    private func firstWait(for name: ObjectName) -> (kind: ObjectKind, claim: Int)? {
        for kind in [ObjectKind.lock, .leaderSlot] {
            guard let index = table(kind).index(of: name) else { continue }
            let object = table(kind).objects[index]
            if let waiter = object.upgrading ?? object.queue.first { return (kind, waiter) }
            if let holder = object.holders.first ?? object.reserved.first {
                return firstWait(of: table(kind).claims[holder].task)
            }
        }
        return nil
    }

    private func firstWait(of task: TaskReference) -> (kind: ObjectKind, claim: Int)? {
        if let lock = locks.firstWait(of: task) { return (.lock, lock) }
        return slots.firstWait(of: task).map { (.leaderSlot, $0) }
    }
}
