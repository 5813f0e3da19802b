/// One start of a daemon: drawn at random when its process starts, never zero.
///
/// A vote in a view change belongs to a `NodeID`; a seat with state belongs to an incarnation.
public struct Incarnation: Hashable, Sendable, CustomStringConvertible {
    public var number: UInt64

    public init(_ number: UInt64) {
        self.number = number
    }

    public var description: String { String(number, radix: 16) }
}
