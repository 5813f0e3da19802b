/// The random name of one history. Two groups, or one group before and after its state was given
/// up by hand, never share it. All zero: none yet.
public struct Lineage: Hashable, Sendable, CustomStringConvertible {
    public var high: UInt64
    public var low: UInt64

    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    public static let none = Lineage(high: 0, low: 0)

    public var description: String {
        let high = String(high, radix: 16)
        return String(repeating: "0", count: 16 - high.count) + high
    }
}
