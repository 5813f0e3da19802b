package import ConclaveBase

/// One boot of a host, as its clocks show it: CLOCK_BOOTTIME, which begins anew at each boot and
/// runs a little fast or slow, and the wall clock, which may jump.
package struct SimulatedClock: Sendable {
    private static let million: UInt64 = 1_000_000

    private let bootedAt: Moment
    /// What CLOCK_BOOTTIME showed at `bootedAt`.
    private let firstReading: UInt64
    /// The rate: parts in a million of true time.
    private let rate: UInt64
    /// What the wall clock shows beyond true time, in microseconds.
    private var wallOffset: UInt64

    /// - Precondition: `driftPerMillion` is within plus or minus 10,000, that is rho.
    package init(
        bootedAt: Moment, firstReading: Instant = Instant(nanoseconds: 0),
        driftPerMillion: Int64, wallOffset: Timestamp
    ) {
        precondition((-10_000...10_000).contains(driftPerMillion))
        self.bootedAt = bootedAt
        self.firstReading = firstReading.nanoseconds
        rate = UInt64(Int64(Self.million) + driftPerMillion)
        self.wallOffset = wallOffset.microseconds
    }

    package func instant(at moment: Moment) -> Instant {
        let elapsed = moment.nanoseconds - min(bootedAt.nanoseconds, moment.nanoseconds)
        return Instant(
            nanoseconds: firstReading + Self.scaled(elapsed, by: rate, over: Self.million))
    }

    /// The first moment at which CLOCK_BOOTTIME shows `instant` or more.
    package func moment(of instant: Instant) -> Moment {
        guard instant.nanoseconds > firstReading else { return bootedAt }
        guard instant < .distantFuture else { return .never }
        let reading = instant.nanoseconds - firstReading
        var elapsed = Self.scaled(reading, by: Self.million, over: rate)
        while Self.scaled(elapsed, by: rate, over: Self.million) < reading { elapsed += 1 }
        return bootedAt.advanced(by: Interval(nanoseconds: Int64(clamping: elapsed)))
    }

    package func wallClock(at moment: Moment) -> Timestamp {
        Timestamp(microseconds: wallOffset + moment.nanoseconds / 1_000)
    }

    package mutating func jumpWallClock(by interval: Interval) {
        let microseconds = interval.nanoseconds / 1_000
        wallOffset =
            microseconds < 0
            ? wallOffset - min(wallOffset, microseconds.magnitude)
            : wallOffset + microseconds.magnitude
    }

    private static func scaled(_ value: UInt64, by factor: UInt64, over divisor: UInt64) -> UInt64 {
        let product = value.multipliedFullWidth(by: factor)
        // Times of simulated worlds are short.
        if product.high == 0 { return product.low / divisor }
        guard product.high < divisor else { return .max }
        return divisor.dividingFullWidth(product).quotient
    }
}
