package import ConclaveBase
package import ConclaveWire

extension Coordinator {
    package func leaderState(_ name: ObjectName) -> LeaderState {
        guard let slot = slots.index(of: name) else {
            return LeaderState(slot: name, leader: nil, standbyCount: 0, version: version)
        }
        return LeaderState(
            slot: name, leader: slots.objects[slot].holders.first.map(leader),
            standbyCount: UInt32(slots.objects[slot].queue.count), version: version)
    }

    private func leader(_ index: Int) -> LeaderState.Leader {
        let claim = slots.claims[index]
        let session = sessions[claim.request.session]
        return LeaderState.Leader(
            session: session.id, host: session.process.host, pid: session.process.pid,
            label: session.label, token: claim.token, value: claim.value, since: claim.since)
    }

    /// Locks whose name begins with `prefix`, by name, at most `maximum`.
    package func lockReports(
        prefix: String, maximum: Int = ClientLimits.listed
    ) -> [ObjectReport] {
        locks.sorted(prefix: prefix).prefix(maximum).map { report(.lock, $0, in: locks) }
    }

    /// The objects of that name, and the chain of who waits for whom: from the first waiter, or
    /// from the holder if nobody waits, to a holder that waits for nothing.
    package func why(_ name: ObjectName) -> WhyReport {
        var objects: [ObjectReport] = []
        if let lock = locks.index(of: name) { objects.append(report(.lock, lock, in: locks)) }
        if let slot = slots.index(of: name) { objects.append(report(.leaderSlot, slot, in: slots)) }
        if let barrier = barriers.index(of: name) { objects.append(report(barrier: barrier)) }
        return WhyReport(objects: objects, chain: chain(from: name), version: version)
    }

    private func report(_ kind: ObjectKind, _ index: Int, in table: ClaimTable) -> ObjectReport {
        ObjectReport(
            kind: kind, name: table.objects[index].name,
            holders: table.holders(of: index).map { report(table.claims[$0]) },
            waiters: table.waiters(of: index).map { report(table.claims[$0]) },
            value: table.objects[index].holders.first.map { table.claims[$0].value } ?? [],
            limit: table.objects[index].limit)
    }

    private func report(_ claim: Claim) -> SessionReport {
        let session = sessions[claim.request.session]
        return SessionReport(
            session: session.id, host: session.process.host, pid: session.process.pid,
            uid: session.process.uid, unit: session.process.unit, label: session.label,
            token: claim.token.number, mode: claim.mode, priority: claim.priority,
            since: claim.since, remaining: nil)
    }

    private func report(barrier index: Int) -> ObjectReport {
        let barrier = barriers[index]
        let waiters = barrier.arrivals.map { arrival in
            let session = sessions[arrival.request.session]
            return SessionReport(
                session: arrival.session, host: arrival.host, pid: arrival.pid,
                uid: session.process.uid, unit: session.process.unit, label: session.label,
                token: 0, mode: .exclusive, since: arrival.at, remaining: nil)
        }
        return ObjectReport(
            kind: .barrier, name: barrier.name, holders: [], waiters: waiters,
            parties: barrier.parties, generation: barrier.generation)
    }

    private func chain(from name: ObjectName) -> [WhyReport.Edge] {
        var chain: [WhyReport.Edge] = []
        var seen: Set<TaskReference> = []
        var next = firstWait(for: name)
        while let wait = next {
            let claim = table(wait.kind).claims[wait.claim]
            let object = table(wait.kind).objects[claim.object]
            guard let holder = object.holders.first.map({ table(wait.kind).claims[$0] }),
                seen.insert(claim.task).inserted
            else { break }
            chain.append(
                WhyReport.Edge(
                    waiter: claim.task.session, kind: wait.kind, name: object.name,
                    holder: holder.task.session))
            next = seen.contains(holder.task) ? nil : firstWait(of: holder.task)
        }
        return chain
    }

    private func table(_ kind: ObjectKind) -> ClaimTable { kind == .lock ? locks : slots }

    /// The claim that waits first for an object of that name, or else what its holder waits for.
    private func firstWait(for name: ObjectName) -> (kind: ObjectKind, claim: Int)? {
        for kind in [ObjectKind.lock, .leaderSlot] {
            guard let index = table(kind).index(of: name) else { continue }
            let object = table(kind).objects[index]
            if let waiter = object.queue.first { return (kind, waiter) }
            if let holder = object.holders.first {
                return firstWait(of: table(kind).claims[holder].task)
            }
        }
        return nil
    }

    private func firstWait(of task: TaskReference) -> (kind: ObjectKind, claim: Int)? {
        if let lock = locks.waits(of: task).first { return (.lock, lock) }
        return slots.waits(of: task).first.map { (.leaderSlot, $0) }
    }
}
