import Testing

@Suite struct `Random histories` {
    /// A failure names its seed: the same seed makes the same history.
    @Test(arguments: 1...UInt64(24))
    func `hold every invariant, and leave nothing behind`(seed: UInt64) throws {
        var walk = RandomWalk(seed: seed)
        for _ in 0..<1_200 { try walk.step() }
        try walk.endAll()
    }
}
