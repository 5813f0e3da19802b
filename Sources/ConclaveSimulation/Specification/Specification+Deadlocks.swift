import ConclaveBase
import ConclaveCoordination
import ConclaveWire

/// C8: nobody waits for himself, over however many others.
extension Specification {
    func claim(
        _ id: SessionID, _ number: UInt64, _ mode: LockMode, _ priority: Int32, _ tag: TaskTag,
        lockDelay: Interval = .zero
    ) -> SpecifiedQueue.Claim {
        let task = TaskReference(session: id, number: tag.number)
        let around =
            [TaskReference(session: id, number: 0)]
            + tag.within.filter { other in
                sessions[other.session]?.process.uid == sessions[id]!.process.uid
            }
        return SpecifiedQueue.Claim(
            session: id, number: number, mode: mode, priority: priority, lockDelay: lockDelay,
            task: task,
            within: around.filter { $0 != task }, asked: version)
    }

    /// Whether a claim that was just put into the queue of `key` waits for itself.
    func closesCycle(_ claim: SpecifiedQueue.Claim, in key: ObjectKey) -> Bool {
        let stuck = stuckTasks
        var reached = blockers(of: claim, in: key, stuck)
        var count = -1
        while reached.count != count {
            count = reached.count
            for (key, queue) in queues {
                for waiter in queue.allWaiters where !reached.isDisjoint(with: waiter.tasks) {
                    reached.formUnion(blockers(of: waiter, in: key, stuck))
                }
            }
        }
        return !reached.isDisjoint(with: claim.tasks)
    }

    /// Whether something that a task waits for waits for the task.
    func isWaitingForItself(_ task: TaskReference) -> Bool {
        queues.contains { key, queue in
            queue.allWaiters.contains { $0.tasks.contains(task) && closesCycle($0, in: key) }
        }
    }

    /// Tasks that wait for something that does not end, whatever all the others let go of.
    private var stuckTasks: Set<TaskReference> {
        var stuck = Set(queues.values.flatMap { $0.allWaiters.flatMap(\.tasks) })
        while true {
            var left: Set<TaskReference> = []
            for (key, queue) in queues {
                for waiter in queue.allWaiters
                where !blockers(of: waiter, in: key, stuck).isEmpty {
                    left.formUnion(waiter.tasks)
                }
            }
            if left == stuck { return stuck }
            stuck = left
        }
    }

    /// The stuck tasks that keep a waiter waiting; none, if it has its turn without them.
    private func blockers(
        of claim: SpecifiedQueue.Claim, in key: ObjectKey, _ stuck: Set<TaskReference>
    ) -> Set<TaskReference> {
        let queue = queues[key]!
        // Whoever would have it alone does not wait for himself.
        let others = queue.taken.filter { $0.session != claim.session }
        let holders = others.filter { stuck.contains($0.task) }
        if let limit = queue.limit {
            let ahead = queue.waiters.prefix { $0 != claim } + [claim]
            let wanted = ahead.map(\.permitCount).max()!
            let taken = holders.reduce(0) { $0 + $1.permitCount }
            if wanted + taken <= limit { return [] }
            guard wanted > claim.permitCount else { return Set(holders.map(\.task)) }
            return Set((holders + [ahead.first { $0.permitCount == wanted }!]).map(\.task))
        } else if claim.mode == .shared, queue.upgrade == nil, queue.waiters[0].mode == .shared,
            queue.taken.allSatisfy({ $0.mode == .shared })
        {
            return []
        }
        return Set(holders.map(\.task))
    }
}

extension SpecifiedQueue.Claim {
    fileprivate var permitCount: UInt32 { mode.permitCount ?? 0 }

    fileprivate var tasks: Set<TaskReference> { Set([task] + within) }
}
