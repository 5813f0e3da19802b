/// One connection of a client to this daemon; given by the shell, and never given again.
package struct ConnectionID: Hashable, Comparable, Sendable {
    package var number: UInt64

    package init(number: UInt64) {
        self.number = number
    }

    package static func < (lhs: Self, rhs: Self) -> Bool {
        lhs.number < rhs.number
    }
}
