package import ConclaveBase

/// How far a request for several locks has come, as it stands at one of them.
package struct WaitingSet: Equatable, Sendable {
    package enum Standing: UInt8, Sendable, CaseIterable {
        /// Not in the queue here yet: one that comes before by its name is not to be had.
        case coming = 1
        case queued = 2
        /// Nobody else is granted it: it is kept for the set until the rest is to be had.
        case reserved = 3
    }

    package var standing: Standing
    /// How many locks it is.
    package var count: UInt32
    /// The one that it waits for now; `nil`: it has come to all, and one of them is closed.
    package var next: ObjectName?

    package init(standing: Standing, count: UInt32, next: ObjectName?) {
        self.standing = standing
        self.count = count
        self.next = next
    }

    package init(from reader: inout ByteReader) throws(WireError) {
        standing = try reader.choice("standing")
        count = try reader.integer("locks of the set")
        next = try reader.flag("has next") ? try reader.name("next") : nil
    }

    package func encode(into writer: inout ByteWriter) {
        writer.integer(standing.rawValue)
        writer.integer(count)
        writer.flag(next != nil)
        if let next { writer.name(next) }
    }
}
