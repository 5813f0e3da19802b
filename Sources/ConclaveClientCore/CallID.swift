/// One call of a client: the number its request has within the session. Queries are numbered too.
package struct CallID: Hashable, Comparable, Sendable {
    package var number: UInt64

    package init(number: UInt64) {
        self.number = number
    }

    package static func < (lhs: Self, rhs: Self) -> Bool {
        lhs.number < rhs.number
    }
}
