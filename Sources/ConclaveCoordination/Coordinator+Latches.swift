package import ConclaveBase
package import ConclaveWire

/// Latches. They exclude nobody: what is counted is done at once, and stays so.
extension Coordinator {
    mutating func latch(
        _ operation: LatchOperation, _ request: RequestReference,
        effects: inout [CoordinationEffect]
    ) {
        switch operation.action {
        case .countDown(let count):
            guard let index = latch(operation.name, of: count, request, effects: &effects)
            else { return }
            latches.countDown(index, at: time)
            answer(request, .counted(latches[index].state), effects: &effects)
            if latches[index].isOpen { open(latch: index, effects: &effects) }
        case .wait(let count):
            guard let index = latch(operation.name, of: count, request, effects: &effects)
            else { return }
            awaitLatch(index, request, effects: &effects)
        case .remove:
            removeLatch(operation.name, request, effects: &effects)
        }
    }

    /// The latch of that name, now if not before. `nil`: it cannot be, and that is answered.
    private mutating func latch(
        _ name: ObjectName, of count: UInt32, _ request: RequestReference,
        effects: inout [CoordinationEffect]
    ) -> Int? {
        if let index = latches.index(of: name) {
            guard latches[index].count != count else { return index }
            let message = "latch \(name) has a count of \(latches[index].count), not of \(count)"
            refuse(request, .invalid, message, effects: &effects)
            return nil
        }
        guard hasRoomForObject else {
            refuse(
                request, .quotaExceeded, Self.objectQuotaMessage(quotas.objects), effects: &effects)
            return nil
        }
        let uid = sessions[request.session].process.uid
        guard uid == 0 || latches.count(ofUID: uid) < quotas.latchesPerUID else {
            let message =
                "user \(uid) has \(quotas.latchesPerUID) latches already: remove those that "
                + "nobody needs any more"
            refuse(request, .quotaExceeded, message, effects: &effects)
            return nil
        }
        return latches.insert(Latch(name: name, count: count, uid: uid, since: time))
    }

    private mutating func awaitLatch(
        _ index: Int, _ request: RequestReference, effects: inout [CoordinationEffect]
    ) {
        guard !latches[index].isOpen else {
            return answer(request, .counted(latches[index].state), effects: &effects)
        }
        guard latches[index].waiters.count < quotas.waitersPerObject else {
            let message =
                "\(quotas.waitersPerObject) requests wait for latch \(latches[index].name) already: "
                + "wait once a process, or for another latch"
            return refuse(request, .quotaExceeded, message, effects: &effects)
        }
        latches.wait(Latch.Waiter(request: request, since: time), at: index)
        wait(request, in: .latch(index), effects: &effects)
    }

    private mutating func open(latch index: Int, effects: inout [CoordinationEffect]) {
        let state = latches[index].state
        var waiters = latches.takeWaiters(of: index)
        if plant == .latchWaiterUntold, waiters.count > 1 { waiters.removeLast() }
        for waiter in waiters { answer(waiter.request, .counted(state), effects: &effects) }
        if plant == .openLatchForgotten { latches.remove(index) }
    }

    private mutating func removeLatch(
        _ name: ObjectName, _ request: RequestReference, effects: inout [CoordinationEffect]
    ) {
        guard let index = latches.index(of: name) else {
            return refuse(request, .refused, "there is no latch \(name)", effects: &effects)
        }
        let process = sessions[request.session].process
        guard process.uid == 0 || process.uid == latches[index].uid else {
            let message = "only root and uid \(latches[index].uid) may remove latch \(name)"
            return refuse(request, .denied, message, effects: &effects)
        }
        answer(request, .done, effects: &effects)
        let state = latches[index].state
        let message =
            "latch \(name) was removed by pid \(process.pid) on host \(process.host); "
            + "\(state.remaining) of \(state.count) remained"
        for waiter in latches.takeWaiters(of: index) {
            refuse(waiter.request, .refused, message, effects: &effects)
        }
        latches.remove(index)
    }

    /// It waits no more, and nobody else is told anything.
    mutating func withdraw(_ request: RequestReference, fromLatch index: Int) {
        latches.forgetWaiters(of: index) { $0 == request }
    }

    mutating func forgetLatchWaits(of session: Int) {
        var awaited: Set<Int> = []
        for case (_, .latch(let index)) in sessions[session].replies.waiting {
            awaited.insert(index)
        }
        for index in awaited.sorted(by: { latches[$0].name < latches[$1].name }) {
            latches.forgetWaiters(of: index) { $0.session == session }
        }
    }

    // MARK: - Reading

    package var latchCount: Int { latches.count }

    package func latchReport(_ name: ObjectName) -> LatchReport? {
        latches.index(of: name).map { latches[$0].report }
    }

    /// Those whose names begin with `prefix` and come after `after`, by name: as many as an answer
    /// has room for.
    package func latchPage(prefix: String, after: ObjectName? = nil) -> LatchPage {
        let (found, isWhole) = latches.names.page(
            prefix: prefix, after: after, maximum: ClientLimits.listedObjects)
        let reports = found.map { latches[$0].report }
        return LatchPage(
            version: version, latches: reports, next: isWhole ? nil : reports.last?.state.name)
    }

    func report(latch index: Int) -> ObjectReport {
        let latch = latches[index]
        let waiters = latch.waiters.prefix(ClientLimits.listedSessions).map { waiter in
            let session = sessions[waiter.request.session]
            return SessionReport(
                session: session.id, host: session.process.host, pid: session.process.pid,
                uid: session.process.uid, unit: session.process.unit, label: session.label,
                token: 0, mode: .exclusive, since: waiter.since, remaining: nil)
        }
        var report = ObjectReport(
            kind: .latch, name: latch.name, holders: [], waiters: waiters, parties: latch.count)
        report.waiterCount = UInt32(clamping: latch.waiters.count)
        report.remaining = latch.remaining
        return report
    }
}
