/// Whether who follows something is sure to be told of its changes.
struct Assurance {
    /// The daemon is gone or outside the majority, and the follower was told so.
    private(set) var isDoubtful = false
    /// The present connection has told something.
    private var isHeard = false

    /// Something was told.
    mutating func hear() { isHeard = true }

    /// The connection is gone.
    mutating func interrupt() { isHeard = false }

    /// Returns whether the follower does not know yet.
    mutating func doubt() -> Bool {
        defer { isDoubtful = true }
        return !isDoubtful
    }

    /// Returns whether the follower had been told otherwise. On a new connection nothing is sure
    /// before that has told something.
    mutating func assure() -> Bool {
        guard isHeard, isDoubtful else { return false }
        isDoubtful = false
        return true
    }
}
