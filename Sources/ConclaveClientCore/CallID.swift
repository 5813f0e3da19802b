/// One call of a client, numbered as they are made. The request gets its own number when it is
/// first sent.
package struct CallID: Hashable, Comparable, Sendable {
    package var number: UInt64

    package init(number: UInt64) {
        self.number = number
    }

    package static func < (lhs: Self, rhs: Self) -> Bool {
        lhs.number < rhs.number
    }
}
