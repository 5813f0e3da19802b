import ConclaveWire

/// Which claims each task waits for: its own, and those that are made within it.
struct TaskWaits: Sendable {
    /// In no order that may show.
    private var claims: [TaskReference: Set<Int>] = [:]

    func claims(of task: TaskReference) -> Set<Int> { claims[task] ?? [] }

    func count(of task: TaskReference) -> Int { claims[task]?.count ?? 0 }

    mutating func add(_ index: Int, of claim: Claim) {
        claims[claim.task, default: []].insert(index)
        for task in claim.within { claims[task, default: []].insert(index) }
    }

    mutating func remove(_ index: Int, of claim: Claim) {
        remove(index, from: claim.task)
        for task in claim.within { remove(index, from: task) }
    }

    private mutating func remove(_ index: Int, from task: TaskReference) {
        claims[task]?.remove(index)
        if claims[task]?.isEmpty == true { claims[task] = nil }
    }
}
