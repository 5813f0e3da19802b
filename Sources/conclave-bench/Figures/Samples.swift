import Histogram

/// Lengths of time in nanoseconds, to three digits, up to a minute and more.
struct Samples {
    private var histogram = Histogram<UInt32>(
        highestTrackableValue: 600_000_000_000, numberOfSignificantValueDigits: .three)

    var count: Int { Int(histogram.totalCount) }

    mutating func add(_ nanoseconds: UInt64) {
        histogram.record(min(nanoseconds, 600_000_000_000))
    }

    mutating func add(from start: UInt64, to end: UInt64) {
        add(end > start ? end - start : 0)
    }

    /// One of a loop that would have asked every `pause`: while it waited for this one, it did not
    /// ask what would have waited as well. That is counted, as if it had.
    mutating func add(_ nanoseconds: UInt64, ofLoopEvery pause: UInt64) {
        var rest = nanoseconds
        add(rest)
        while pause > 0, rest > 2 * pause {
            rest -= pause
            add(rest)
        }
    }

    mutating func add(_ other: Samples) {
        for value in other.histogram.recordedValues() {
            histogram.record(value.value, count: value.count)
        }
    }

    func percentile(_ percentile: Double) -> Double {
        count == 0 ? 0 : Double(histogram.valueAtPercentile(percentile))
    }

    var minimum: Double { count == 0 ? 0 : Double(histogram.min) }
    var maximum: Double { count == 0 ? 0 : Double(histogram.max) }
    var mean: Double { count == 0 ? 0 : histogram.mean }
}

/// How long acquiring, releasing and both took.
struct PairSamples {
    var acquire = Samples()
    var release = Samples()
    var pair = Samples()

    mutating func add(_ start: UInt64, _ acquired: UInt64, _ released: UInt64) {
        acquire.add(from: start, to: acquired)
        release.add(from: acquired, to: released)
        pair.add(from: start, to: released)
    }

    /// One that never began, and had waited from `start` until `end`.
    mutating func addUnsent(_ start: UInt64, until end: UInt64) {
        acquire.add(from: start, to: end)
        pair.add(from: start, to: end)
    }

    mutating func add(_ other: PairSamples) {
        acquire.add(other.acquire)
        release.add(other.release)
        pair.add(other.pair)
    }

    func tell(_ measure: String, _ report: Report, _ how: [Field]) {
        report.distribution("\(measure).acquire", .microseconds, acquire, how)
        report.distribution("\(measure).release", .microseconds, release, how)
        report.distribution("\(measure).pair", .microseconds, pair, how)
    }
}
