import ConclaveWire

/// Asks whether a wait that is about to begin would never end, since those it waits for wait for
/// it themselves.
///
/// Tasks wait for each other as long as they have claims in queues. A task goes on when all its
/// waits can end. A wait for a lock ends when all who hold it, or for whom it is reserved, go on; one
/// for permits, when enough of them come free for it and for each that is before it, whichever
/// holders those are. So whoever waits for nothing goes on, and then all who wait for those; *stuck* is
/// who is left. The new wait closes a cycle if it leads, over stuck tasks alone, back to a task that
/// waits by it.
///
/// Only tasks that the new wait leads to are looked at. A holder or waiter looked at is a step, a
/// task that is followed counts for 16, and for one more each of its further waits; after
/// `maximumSteps` nothing is said to be a cycle, and the request waits like any other.
struct DeadlockSearch {
    /// A claim that waits for another one: one that is held or reserved, or that has its turn before.
    struct Edge {
        var kind: ObjectKind
        var waiting: Int
        var before: Int
    }

    private struct Wait {
        var kind: ObjectKind
        var claim: Int
        var holders: [Party] = []
        /// How many permits it wants and there are; `nil`: of a lock all must be given back.
        var permits: (wanted: UInt64, limit: UInt64)?
        /// Who has its turn before and wants more permits than it and the others.
        var ahead: Party?
    }

    private struct Party {
        var claim: Int
        var permitCount: UInt64
        /// Index of its task.
        var task: Int
    }

    private static let stepsPerTask = 16

    private let locks: ClaimTable
    private let slots: ClaimTable
    /// For the simulator: all permits must come free, as if it were a lock.
    private let everyPermitBlocks: Bool
    /// Less than 0: it was given up.
    private(set) var stepsLeft: Int
    private var indexes: [TaskReference: Int] = [:]
    /// In the order in which they were found, which is that of the tables.
    private var tasks: [TaskReference] = []
    /// What each of them waits for, as indexes.
    private var waitsOf: [[Int]] = []
    private var goesOn: [Bool] = []
    private var waits: [Wait] = []
    private var waitIndexes: [ObjectKind: [Int: Int]] = [:]

    init(
        locks: ClaimTable, slots: ClaimTable, maximumSteps: Int, everyPermitBlocks: Bool = false
    ) {
        self.locks = locks
        self.slots = slots
        self.everyPermitBlocks = everyPermitBlocks
        stepsLeft = maximumSteps
    }

    /// The cycle that a claim closes that has just begun to wait, from that claim on; `nil`: none.
    mutating func cycle(closedBy claim: Int, of kind: ObjectKind) -> [Edge]? {
        let first = addWait(claim, kind)
        let asker = table(kind).claims[claim]
        let waiting = Set([asker.task] + asker.within)
        var next = 0
        while next < tasks.count {
            let reference = tasks[next]
            // One wait is in a task's own price.
            let waitCount = locks.waitCount(of: reference) + slots.waitCount(of: reference)
            stepsLeft -= Self.stepsPerTask + max(waitCount, 1) - 1
            guard stepsLeft > 0 else { return nil }
            for (kind, table) in [(ObjectKind.lock, locks), (.leaderSlot, slots)] {
                for claim in table.waits(of: reference) {
                    waitsOf[next].append(addWait(claim, kind))
                }
            }
            guard stepsLeft > 0 else { return nil }
            next += 1
        }
        guard tasks.contains(where: waiting.contains), settle() else { return nil }
        return path(from: first, to: waiting)
    }

    private func table(_ kind: ObjectKind) -> ClaimTable {
        kind == .lock ? locks : slots
    }

    private mutating func index(of task: TaskReference) -> Int {
        if let index = indexes[task] { return index }
        indexes[task] = tasks.count
        tasks.append(task)
        waitsOf.append([])
        goesOn.append(false)
        return tasks.count - 1
    }

    private mutating func addWait(_ claim: Int, _ kind: ObjectKind) -> Int {
        if let known = waitIndexes[kind]?[claim] { return known }
        let table = table(kind)
        var wait = Wait(kind: kind, claim: claim)
        let object = table.objects[table.claims[claim].object]
        let isOpen = table.claims[claim].mode == .shared && table.isForSharing(object)
        for list in isOpen ? [] : [object.holders, object.reserved] {
            var holder = list.first
            while let held = holder, stepsLeft > 0 {
                stepsLeft -= 1
                // Whoever wants it alone does not wait for what it has itself.
                if held != claim, let found = party(held, in: table) { wait.holders.append(found) }
                holder = list.claim(after: held, in: table.claims)
            }
        }
        if let limit = object.limit {
            wait.permits = (UInt64(table.claims[claim].permitCount), UInt64(limit))
            wait.ahead = largest(before: claim, in: object.queue, of: table)
        }
        waits.append(wait)
        waitIndexes[kind, default: [:]][claim] = waits.count - 1
        return waits.count - 1
    }

    /// `nil`: its task waits for nothing.
    private mutating func party(_ claim: Int, in table: ClaimTable) -> Party? {
        let task = table.claims[claim].task
        guard locks.isWaiting(task) || slots.isWaiting(task) else { return nil }
        let permitCount = UInt64(table.claims[claim].permitCount)
        return Party(claim: claim, permitCount: permitCount, task: index(of: task))
    }

    /// A waiter goes in only after those before it: the first of those that want most.
    private mutating func largest(
        before claim: Int, in queue: ClaimQueue, of table: ClaimTable
    ) -> Party? {
        var largest: (claim: Int?, count: UInt32) = (nil, table.claims[claim].permitCount)
        var next = queue.first
        while let waiter = next, waiter != claim, stepsLeft > 0 {
            stepsLeft -= 1
            let count = table.claims[waiter].permitCount
            if count > largest.count { largest = (waiter, count) }
            next = queue.claim(after: waiter, in: table.claims)
        }
        return largest.claim.flatMap { party($0, in: table) }
    }

    /// Finds out who goes on, beginning with those who wait for nothing; `false`: it takes too long.
    private mutating func settle() -> Bool {
        var hasChanged = true
        while hasChanged {
            hasChanged = false
            for task in tasks.indices.reversed() where !goesOn[task] {
                stepsLeft -= waitsOf[task].reduce(1) { $0 + waits[$1].holders.count }
                guard stepsLeft > 0 else { return false }
                guard waitsOf[task].allSatisfy({ canEnd(waits[$0]) }) else { continue }
                goesOn[task] = true
                hasChanged = true
            }
        }
        return true
    }

    private func canEnd(_ wait: Wait) -> Bool {
        guard let permits = wait.permits, !everyPermitBlocks else {
            return wait.holders.allSatisfy { goesOn[$0.task] }
        }
        let wanted = max(permits.wanted, wait.ahead?.permitCount ?? 0)
        return wanted + stuckPermits(of: wait) <= permits.limit
    }

    private func stuckPermits(of wait: Wait) -> UInt64 {
        wait.holders.reduce(0) { $0 + (goesOn[$1.task] ? 0 : $1.permitCount) }
    }

    /// The shortest way back over stuck tasks: of two, the one found first.
    private func path(from first: Int, to waiting: Set<TaskReference>) -> [Edge]? {
        var edges = stuckEdges(of: first).map { (edge: $0, before: Int?.none) }
        var isSeen = [Bool](repeating: false, count: tasks.count)
        var next = 0
        while next < edges.count {
            let before = table(edges[next].edge.kind).claims[edges[next].edge.before]
            if waiting.contains(before.task) { return chain(edges, to: next) }
            let task = indexes[before.task]!
            if !isSeen[task] {
                isSeen[task] = true
                for wait in waitsOf[task] {
                    edges += stuckEdges(of: wait).map { (edge: $0, before: next) }
                }
            }
            next += 1
        }
        return nil
    }

    private func stuckEdges(of index: Int) -> [Edge] {
        let wait = waits[index]
        guard !canEnd(wait) else { return [] }
        return (wait.holders + [wait.ahead].compactMap { $0 }).filter { !goesOn[$0.task] }
            .map { Edge(kind: wait.kind, waiting: wait.claim, before: $0.claim) }
    }

    private func chain(_ edges: [(edge: Edge, before: Int?)], to last: Int) -> [Edge] {
        var chain: [Edge] = []
        var place: Int? = last
        while let index = place {
            chain.append(edges[index].edge)
            place = edges[index].before
        }
        return chain.reversed()
    }
}
