import ConclaveBase
import ConclaveWire

extension Coordinator {
    /// The message of a cycle is kept with the reply: it names waits up to so many bytes.
    private static let describedByteCount = 900

    /// Who asks. A session waits for all its tasks. Those around it that are of sessions that are
    /// over, or of other users, wait for nobody; of too many the outermost are not looked at.
    func wish(
        _ mode: LockMode, _ tag: TaskTag, _ request: RequestReference, value: [UInt8] = [],
        isTry: Bool = false, priority: Int32, lockDelay: Interval = .zero
    ) -> ClaimTable.Wish {
        let session = sessions[request.session].id
        let task = TaskReference(session: session, number: tag.number)
        var within: [TaskReference] = []
        if tag.number != 0 { within.append(TaskReference(session: session, number: 0)) }
        // The innermost come last. There are as many as a claim can have, in a snapshot too.
        for other in tag.within.reversed() where other != task && !within.contains(other) {
            guard within.count < ClientLimits.tasksAround else { break }
            guard let index = sessions.index(of: other.session),
                sessions[index].process.uid == sessions[request.session].process.uid
            else { continue }
            within.append(other)
        }
        return ClaimTable.Wish(
            request: request, mode: mode, value: value, isTry: isTry, priority: priority,
            lockDelay: lockDelay, task: task, within: within)
    }

    /// Why a claim that has just begun to wait must not; `nil`: it may.
    mutating func reasonNotToWait(_ claim: Int, of kind: ObjectKind) -> Refusal? {
        let waiting = (kind == .lock ? locks : slots).claims[claim]
        let isCrowded = ([waiting.task] + waiting.within).contains { task in
            locks.waitCount(of: task) + slots.waitCount(of: task) > quotas.waitsPerTask
        }
        if isCrowded {
            let message =
                "\(quotas.waitsPerTask) requests wait within one task already: wait for fewer things at "
                + "once"
            return Refusal(.quotaExceeded, message)
        }
        return deadlock(closedBy: claim, of: kind).map { Refusal(.deadlock, $0) }
    }

    private mutating func deadlock(closedBy claim: Int, of kind: ObjectKind) -> String? {
        guard plant != .deadlockWaits else { return nil }
        let maximum = min(quotas.deadlockSteps, deadlockStepsLeft)
        var search = DeadlockSearch(
            locks: locks, slots: slots, maximumSteps: maximum,
            everyPermitBlocks: plant == .everyPermitBlocks)
        let cycle = search.cycle(closedBy: claim, of: kind)
        deadlockStepsLeft -= maximum - max(0, search.stepsLeft)
        return cycle.map(describe)
    }

    /// Whoever leads out of turn is waited for by those that were before it: why it must not, if
    /// what its task waits for itself leads back to it.
    mutating func deadlock(withLeader claim: Int) -> String? {
        let task = slots.claims[claim].task
        for lock in locks.waits(of: task) {
            if let cycle = deadlock(closedBy: lock, of: .lock) { return cycle }
        }
        for slot in slots.waits(of: task) {
            if let cycle = deadlock(closedBy: slot, of: .leaderSlot) { return cycle }
        }
        return nil
    }

    private func describe(_ cycle: [DeadlockSearch.Edge]) -> String {
        var text = "it would wait for itself: "
        var before: TaskReference?
        for (index, edge) in cycle.enumerated() {
            let words = describe(edge, after: before)
            if text.utf8.count + words.utf8.count > Self.describedByteCount {
                return text + ", and so on, over \(cycle.count - index) more"
            }
            text += words
            before = (edge.kind == .lock ? locks : slots).claims[edge.before].task
        }
        let table = cycle[0].kind == .lock ? locks : slots
        let asker = table.claims[cycle[0].waiting]
        return before?.session == asker.task.session ? text : text + ", for which it waits"
    }

    /// Two that have a lock together, and would each have it alone.
    func describeUpgrades(of claim: Int, and other: Int) -> String {
        describe([
            DeadlockSearch.Edge(kind: .lock, waiting: claim, before: other),
            DeadlockSearch.Edge(kind: .lock, waiting: other, before: claim),
        ])
    }

    private func describe(
        _ edge: DeadlockSearch.Edge, after before: TaskReference?
    ) -> String {
        let table = edge.kind == .lock ? locks : slots
        let (waiting, other) = (table.claims[edge.waiting], table.claims[edge.before])
        var text: String
        if let before, before.session == waiting.task.session {
            text = ", which waits"
        } else {
            text = (before == nil ? "" : ", for which ") + "\(who(waiting)) waits"
        }
        let noun = edge.kind == .lock ? "lock" : "leader slot"
        let how =
            other.isHeld ? "held by" : other.standing == .reserved ? "kept for" : "behind"
        let name = table.objects[other.object].name
        text += waiting.isHeld ? " to have \(noun) \(name) alone" : " for \(noun) \(name)"
        return text + ", \(how) \(who(other))"
    }

    private func who(_ claim: Claim) -> String {
        let session = sessions[claim.request.session]
        return "session \(session.id) (pid \(session.process.pid) on host \(session.process.host))"
    }
}
