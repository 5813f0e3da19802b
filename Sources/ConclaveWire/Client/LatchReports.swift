package import ConclaveBase

package struct LatchReport: Equatable, Sendable {
    package var state: LatchState
    /// Of the user for whom it counts: whose process named it first.
    package var uid: UInt32
    package var since: Timestamp
    /// `nil`: it is not open.
    package var opened: Timestamp?
    package var waiterCount: UInt32

    package init(
        state: LatchState, uid: UInt32, since: Timestamp, opened: Timestamp? = nil,
        waiterCount: UInt32 = 0
    ) {
        self.state = state
        self.uid = uid
        self.since = since
        self.opened = opened
        self.waiterCount = waiterCount
    }

    package init(from reader: inout ByteReader) throws(WireError) {
        state = try LatchState(from: &reader)
        uid = try reader.integer("uid")
        since = try reader.timestamp("since")
        opened = try reader.flag("open") ? try reader.timestamp("opened") : nil
        waiterCount = try reader.integer("waiters")
    }

    package func encode(into writer: inout ByteWriter) {
        state.encode(into: &writer)
        writer.integer(uid)
        writer.integer(since.microseconds)
        writer.optional(opened?.microseconds)
        writer.integer(waiterCount)
    }
}

/// Latches whose names begin so, by name: a page of them.
package struct LatchPage: Equatable, Sendable {
    /// Of which it is.
    package var version: Version
    package var latches: [LatchReport]
    /// There may be more, after this name; `nil`: there are none.
    package var next: ObjectName?

    package init(version: Version, latches: [LatchReport], next: ObjectName? = nil) {
        self.version = version
        self.latches = latches
        self.next = next
    }

    package init(from reader: inout ByteReader) throws(WireError) {
        version = try reader.version("version")
        latches = []
        for _ in 0..<(try reader.count("latches", maximum: ClientLimits.listedObjects)) {
            latches.append(try LatchReport(from: &reader))
        }
        next = try reader.flag("more") ? try reader.name("next") : nil
    }

    package func encode(into writer: inout ByteWriter) {
        writer.integer(version.number)
        writer.list(latches) { $0.encode(into: &$1) }
        writer.flag(next != nil)
        if let next { writer.name(next) }
    }
}
