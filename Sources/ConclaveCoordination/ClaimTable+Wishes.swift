import ConclaveBase
import ConclaveWire

/// What is asked of a claim table, and what comes of it at once.
extension ClaimTable {
    /// What a session asks for.
    struct Wish {
        var request: RequestReference
        var mode: LockMode
        var value: [UInt8] = []
        var isTry = false
        var priority: Int32 = 0
        var lockDelay = Interval.zero
        var task: TaskReference
        var within: [TaskReference] = []
    }

    enum Outcome: Equatable {
        case granted(claim: Int)
        case queued(claim: Int)
        case busy(holder: Int?)
        /// The session has it, or waits for it, already.
        case alreadyClaimed
        case queueIsFull
        /// It is a semaphore of that limit, or none if `nil`: not what the wish takes it for.
        case isOther(limit: UInt32?)
    }
}

extension LockMode {
    /// Whether what is asked for can be had of a semaphore of that limit; `nil`: of a lock that is
    /// none.
    func isOf(limit: UInt32?) -> Bool {
        switch (self, limit) {
        case (.permits(let count, let named), let limit?): count <= limit && named ?? limit == limit
        case (.permits, nil): false
        case (.exclusive, _), (.shared, _): limit == nil
        }
    }
}
