import ConclaveBase
import ConclaveSimulation
import Testing

@Suite struct `Simulated clock` {
    private static let second: UInt64 = 1_000_000_000
    private static let bootedAt = Moment(nanoseconds: 5 * second)

    private func clock(driftPerMillion: Int64, wallOffset: UInt64 = 0) -> SimulatedClock {
        SimulatedClock(
            bootedAt: Self.bootedAt, driftPerMillion: driftPerMillion,
            wallOffset: Timestamp(microseconds: wallOffset))
    }

    @Test func `a clock begins at zero when its host boots`() {
        #expect(clock(driftPerMillion: 300).instant(at: Self.bootedAt).nanoseconds == 0)
    }

    @Test(arguments: [Int64(10_000), -10_000, 0])
    func `a clock gains or loses its drift`(drift: Int64) {
        let later = Self.bootedAt.advanced(by: .seconds(100))
        let expected = Int64(100 * Self.second) + drift * 100_000

        #expect(clock(driftPerMillion: drift).instant(at: later).nanoseconds == expected)
    }

    @Test(arguments: [Int64(-10_000), -9_999, -1, 0, 1, 3_333, 10_000])
    func `the moment of an instant is the first one at which the clock shows it`(drift: Int64) {
        let clock = clock(driftPerMillion: drift)
        for nanoseconds: UInt64 in [1, 2, 99, 100, 101, 12_345_678_901, 3_600 * Self.second] {
            let instant = Instant(nanoseconds: nanoseconds)
            let moment = clock.moment(of: instant)
            #expect(clock.instant(at: moment) >= instant)
            let before = Moment(nanoseconds: moment.nanoseconds - 1)
            #expect(clock.instant(at: before) < instant)
        }
    }

    @Test func `what never comes has no moment`() {
        #expect(clock(driftPerMillion: 5).moment(of: .distantFuture) == .never)
    }

    @Test func `a jump of the wall clock leaves the other clock alone`() {
        var clock = clock(driftPerMillion: 0, wallOffset: 1_000_000)
        let moment = Self.bootedAt.advanced(by: .seconds(1))
        let instant = clock.instant(at: moment)
        clock.jumpWallClock(by: .seconds(3))
        #expect(clock.wallClock(at: moment) == Timestamp(microseconds: 10_000_000))
        clock.jumpWallClock(by: .seconds(-5))
        #expect(clock.wallClock(at: moment) == Timestamp(microseconds: 6_000_000))

        #expect(clock.instant(at: moment) == instant)
    }

    @Test func `a wall clock stops at the beginning of time`() {
        var clock = clock(driftPerMillion: 0, wallOffset: 1)
        clock.jumpWallClock(by: .seconds(-100))

        #expect(clock.wallClock(at: .start) == .zero)
    }
}
