/// The number of an applied request: era (16 bits) and counter (48 bits). It only grows, across
/// restarts of everything and across histories; it is an object's version and a grant's token.
public struct Version: Hashable, Comparable, Sendable, CustomStringConvertible {
    public static let counterBits: UInt64 = 48
    public static let counterMask: UInt64 = (1 << counterBits) - 1

    public var number: UInt64

    public init(_ number: UInt64) {
        self.number = number
    }

    /// The version before the first request of `era`.
    public init(startOfEra era: UInt16) {
        number = UInt64(era) << Self.counterBits
    }

    /// The version before the first request of an `era` that begins at `time`. Two histories that go on
    /// apart may come to the same era on one day; that they do in the same second is unlikely, and one
    /// second's requests are fewer than the 2^30 that lie between.
    package init(startOfEra era: UInt16, at time: Timestamp) {
        let second = time.microseconds / 1_000_000 % 86_400
        self.init(Version(startOfEra: era).number + second << 30)
    }

    public static let zero = Version(0)

    public var era: UInt16 { UInt16(number >> Self.counterBits) }

    public var counter: UInt64 { number & Self.counterMask }

    /// - Precondition: the counter is not at its end; 2^48 requests take centuries.
    public var next: Version {
        precondition(counter < Self.counterMask, "version counter of era \(era) is used up")
        return Version(number + 1)
    }

    public static func < (lhs: Self, rhs: Self) -> Bool {
        lhs.number < rhs.number
    }

    public var description: String { "\(number)" }
}
