import Testing

@testable import conclave_bench

@Suite struct `Samples of time` {
    @Test func `give their percentiles to three digits`() {
        var samples = Samples()
        for number in 1...10_000 { samples.add(UInt64(number) * 1_000) }
        #expect(samples.count == 10_000)
        for (percentile, expected) in [(50, 5e6), (99, 9.9e6), (99.9, 9.99e6), (100, 1e7)] {
            let found = samples.percentile(percentile)
            #expect((found / expected - 1).magnitude < 0.001, "\(percentile): \(found)")
        }
        #expect((samples.mean / 5_000_500 - 1).magnitude < 0.001)
        #expect((samples.minimum / 1e3 - 1).magnitude < 0.001)
        #expect((samples.maximum / 1e7 - 1).magnitude < 0.001)
    }

    @Test func `are nothing when there are none`() {
        let samples = Samples()
        #expect(samples.count == 0)
        #expect(samples.percentile(99) == 0)
        #expect(samples.minimum == 0 && samples.maximum == 0 && samples.mean == 0)
    }

    @Test func `that end before they begin, or take for ever, do not trap`() {
        var samples = Samples()
        samples.add(from: 2, to: 1)
        samples.add(.max)
        #expect(samples.count == 2)
        #expect(samples.minimum == 0)
        #expect((samples.maximum / 6e11 - 1).magnitude < 0.001)
    }

    @Test func `of several workers are those of one`() {
        var (first, second, all) = (Samples(), Samples(), Samples())
        for number in UInt64(1)...1_000 {
            first.add(number * 1_000)
            second.add(number * 7_000)
            all.add(number * 1_000)
            all.add(number * 7_000)
        }
        first.add(second)
        #expect(first.count == all.count)
        for percentile in [1.0, 50, 90, 99, 100] {
            let (left, right) = (first.percentile(percentile), all.percentile(percentile))
            #expect((left / right - 1).magnitude < 0.002, "\(percentile): \(left), \(right)")
        }
    }

    @Test func `of a loop that was held up hold what it did not ask meanwhile`() {
        var samples = Samples()
        samples.add(1_000_000, ofLoopEvery: 100_000)
        // 1,000, 900, … 200 us: what would have been asked every 100 us.
        #expect(samples.count == 9)
        #expect((samples.minimum / 200_000 - 1).magnitude < 0.001)
        samples.add(150_000, ofLoopEvery: 100_000)
        #expect(samples.count == 10)
    }
}

@Suite struct `Arrivals at fixed times` {
    @Test func `are evenly spaced from the start on, whoever takes them`() {
        let arrivals = Arrivals(rate: 1_000, seconds: 0.005, start: 7_000_000)
        let times = (0..<6).map { _ in arrivals.next(at: 0) }
        #expect(times == [7_000_000, 8_000_000, 9_000_000, 10_000_000, 11_000_000, nil])
        #expect(arrivals.left() == [])
    }

    @Test func `that nobody took in twice the time are left`() {
        let arrivals = Arrivals(rate: 1_000, seconds: 0.005, start: 0)
        #expect(arrivals.next(at: 9_999_999) == 0)
        #expect(arrivals.next(at: 10_000_000) == nil)
        #expect(arrivals.left() == [1_000_000, 2_000_000, 3_000_000, 4_000_000])
        #expect(arrivals.end == 10_000_000)
    }

    @Test func `that never began count with what they have waited`() {
        var pairs = PairSamples()
        pairs.addUnsent(1_000_000, until: 10_000_000)
        #expect(pairs.pair.count == 1 && pairs.acquire.count == 1 && pairs.release.count == 0)
        #expect((pairs.pair.maximum / 9e6 - 1).magnitude < 0.001)
    }

    @Test func `are one at least`() {
        #expect(Arrivals(rate: 1, seconds: 0.1, start: 5).next(at: 0) == 5)
    }
}
