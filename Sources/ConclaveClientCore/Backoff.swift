import ConclaveBase

/// The pause before the next attempt to connect: 10 ms, doubling to 1 s, each shortened at random
/// by up to half, so that the clients of a daemon that comes back do not arrive as one.
struct Backoff {
    private static let first = Interval.milliseconds(10)
    private static let longest = Interval.seconds(1)

    private var pause = first
    private var random: SeededRandom

    init(random: SeededRandom) {
        self.random = random
    }

    mutating func next() -> Interval {
        let pause = random.interval(in: pause / 2...pause)
        self.pause = min(self.pause * 2, Self.longest)
        return pause
    }

    mutating func reset() {
        pause = Self.first
    }
}
