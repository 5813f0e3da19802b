/// One start of a daemon, never zero: which disk it started from, and a number drawn at random when its
/// process starts.
///
/// A vote in a view change belongs to a `NodeID`; a seat with state belongs to an incarnation.
public struct Incarnation: Hashable, Sendable, CustomStringConvertible {
    /// That of a disk, drawn at random when its first daemon starts, is less than this.
    package static let diskCount: UInt64 = 1 << 24
    /// And that of a start less than this.
    package static let startCount: UInt64 = 1 << 40

    public var number: UInt64

    public init(_ number: UInt64) {
        self.number = number
    }

    package init(disk: UInt64, start: UInt64) {
        number = disk % Self.diskCount * Self.startCount + start % Self.startCount
    }

    /// What it started from: another one has another memory of what it promised (V13).
    package var disk: UInt64 { number / Self.startCount }

    public var description: String { String(number, radix: 16) }
}
