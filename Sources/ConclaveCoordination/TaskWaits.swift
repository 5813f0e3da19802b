import ConclaveWire

/// Which claims each task waits for: its own, and those that are made within it.
struct TaskWaits: Sendable {
    /// In no order that may show.
    private var claims: [TaskReference: [Int]] = [:]

    func claims(of task: TaskReference) -> [Int] { claims[task] ?? [] }

    mutating func add(_ index: Int, of claim: Claim) {
        claims[claim.task, default: []].append(index)
        for task in claim.within { claims[task, default: []].append(index) }
    }

    mutating func remove(_ index: Int, of claim: Claim) {
        remove(index, from: claim.task)
        for task in claim.within { remove(index, from: task) }
    }

    private mutating func remove(_ index: Int, from task: TaskReference) {
        guard claims[task] != [index] else { return claims[task] = nil }
        if let place = claims[task]?.firstIndex(of: index) { claims[task]?.remove(at: place) }
    }
}
