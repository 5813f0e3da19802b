import ConclaveBase
import Testing

@Suite struct `Time` {
    @Test func `interval arithmetic saturates at both ends`() {
        let most = Interval(nanoseconds: .max)
        let least = Interval(nanoseconds: .min)
        #expect(most + .seconds(1) == most)
        #expect(least + .seconds(-1) == least)
        #expect(least - .seconds(1) == least)
        #expect(most - .seconds(-1) == most)
        #expect(Interval.seconds(.max) == most)
        #expect(Interval.seconds(.min) == least)
        #expect(most * -2 == least)
    }

    @Test(
        arguments: [
            (0, "0 us"), (999, "0 us"), (1_000, "1 us"), (1_000_000, "1 ms"),
            (1_500_000, "1500 us"),
            (12_345_678, "12 ms"), (1_000_000_000, "1 s"), (1_500_000_000, "1500 ms"),
            (12_700_000_000, "12 s"), (-3_000_000_000, "-3 s"), (.min, "-9223372036 s"),
        ] as [(Int64, String)])
    func `an interval is shown in the largest unit that says enough`(
        nanoseconds: Int64, text: String
    ) {
        #expect("\(Interval(nanoseconds: nanoseconds))" == text)
    }

    @Test func `an instant neither passes the end of time nor goes before its beginning`() {
        let late = Instant(nanoseconds: .max - 5)
        #expect(late.advanced(by: .seconds(1)) == .distantFuture)
        #expect(Instant(nanoseconds: 5).advanced(by: .seconds(-1)) == .distantPast)
        #expect(Instant.distantFuture.since(.distantPast) == Interval(nanoseconds: .max))
        #expect(Instant.distantPast.since(.distantFuture) == Interval(nanoseconds: -.max))
    }

    @Test func `a holder believes for less than the others wait`() {
        let ttl = Interval.seconds(5)
        #expect(ClockDrift.shortened(ttl) == .milliseconds(4_950))
        #expect(ClockDrift.lengthened(ttl) == .milliseconds(5_050))
        // The fastest clock of those who wait against the slowest of the holder's.
        let waited = ClockDrift.shortened(ClockDrift.lengthened(ttl))
        let believed = ClockDrift.lengthened(ClockDrift.shortened(ttl))
        #expect(waited <= believed + .milliseconds(1))
    }
}
