package import ConclaveBase

/// Who has a lease, under which token and for how long.
package struct LeaseGrant: Equatable, Sendable {
    package var name: ObjectName
    package var holder: String
    package var token: FencingToken
    package var ttl: Interval

    package init(name: ObjectName, holder: String, token: FencingToken, ttl: Interval) {
        self.name = name
        self.holder = holder
        self.token = token
        self.ttl = ttl
    }

    package init(from reader: inout ByteReader) throws(WireError) {
        name = try reader.name("lease")
        holder = try reader.leaseHolder("holder")
        token = try reader.token("token")
        ttl = try reader.ttl("ttl")
    }

    package func encode(into writer: inout ByteWriter) {
        writer.name(name)
        writer.text(holder)
        writer.integer(token.number)
        writer.integer(ttl.nanoseconds)
    }
}

package struct LeaseReport: Equatable, Sendable {
    package var grant: LeaseGrant
    /// Of the user whose process asked for it.
    package var uid: UInt32
    package var since: Timestamp
    /// When it was granted, renewed or transferred last.
    package var renewed: Timestamp
    /// Before this has passed it does not end by itself, by the clock of the daemon that was asked;
    /// `nil`: that does not know.
    package var remaining: Interval?

    package init(
        grant: LeaseGrant, uid: UInt32, since: Timestamp, renewed: Timestamp,
        remaining: Interval? = nil
    ) {
        self.grant = grant
        self.uid = uid
        self.since = since
        self.renewed = renewed
        self.remaining = remaining
    }

    package init(from reader: inout ByteReader) throws(WireError) {
        grant = try LeaseGrant(from: &reader)
        uid = try reader.integer("uid")
        since = try reader.timestamp("since")
        renewed = try reader.timestamp("renewed")
        let nanoseconds: Int64? = try reader.optional("remaining")
        remaining = nanoseconds.map(Interval.init(nanoseconds:))
    }

    package func encode(into writer: inout ByteWriter) {
        grant.encode(into: &writer)
        writer.integer(uid)
        writer.integer(since.microseconds)
        writer.integer(renewed.microseconds)
        writer.optional(remaining?.nanoseconds)
    }
}

/// Leases whose names begin so, by name: a page of them.
package struct LeasePage: Equatable, Sendable {
    /// Of which it is.
    package var version: Version
    package var leases: [LeaseReport]
    /// There may be more, after this name; `nil`: there are none.
    package var next: ObjectName?

    package init(version: Version, leases: [LeaseReport], next: ObjectName? = nil) {
        self.version = version
        self.leases = leases
        self.next = next
    }

    package init(from reader: inout ByteReader) throws(WireError) {
        version = try reader.version("version")
        leases = []
        for _ in 0..<(try reader.count("leases", maximum: ClientLimits.listedObjects)) {
            leases.append(try LeaseReport(from: &reader))
        }
        next = try reader.flag("more") ? try reader.name("next") : nil
    }

    package func encode(into writer: inout ByteWriter) {
        writer.integer(version.number)
        writer.list(leases) { $0.encode(into: &$1) }
        writer.flag(next != nil)
        if let next { writer.name(next) }
    }
}
