import ConclaveBase

/// After a holder was lost nobody is granted the object for a while.
extension ClaimTable {
    /// Closes what a lost holder had: see `Claim.lockDelay`. What is closed already stays so for the
    /// longer of the two delays, from now on: nobody knows how much of the first has passed.
    mutating func close(_ object: Int, for delay: Interval, at version: Version) {
        let longest = max(delay, objects[object].closure?.delay ?? .zero)
        setClosure(of: object, to: Closure(since: version, delay: longest))
    }

    /// Nobody is granted by it: see `grantNext`.
    mutating func open(_ object: Int) {
        setClosure(of: object, to: nil)
    }

    func closedLock(_ object: Int) -> ClosedLock? {
        objects[object].closure.map {
            ClosedLock(name: objects[object].name, since: $0.since, delay: $0.delay)
        }
    }

    /// In an order that a machine with the same history has, too.
    var closedLocks: [ClosedLock] { closed.sorted().compactMap(closedLock) }
}
