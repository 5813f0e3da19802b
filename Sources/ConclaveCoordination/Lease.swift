package import ConclaveBase
import ConclaveWire

/// A right for a time that somebody has. It outlives the session that asked for it.
struct Lease: NamedRow {
    var name: ObjectName
    var holder: String
    /// The version at which it was granted, or transferred to this holder.
    var token: FencingToken
    var ttl: Interval
    /// Of the user whose process asked for it.
    var uid: UInt32
    /// When this holder got it.
    var since: Timestamp
    /// When its time began to run.
    var renewed: Moment

    var term: LeaseTerm { LeaseTerm(name: name, renewed: renewed.version, ttl: ttl) }

    var grant: LeaseGrant { LeaseGrant(name: name, holder: holder, token: token, ttl: ttl) }

    func encode(into writer: inout ByteWriter) {
        grant.encode(into: &writer)
        writer.integer(uid)
        writer.integer(since.microseconds)
        writer.integer(renewed.version.number)
        writer.integer(renewed.time.microseconds)
    }

    init(
        name: ObjectName, holder: String, token: FencingToken, ttl: Interval, uid: UInt32,
        at moment: Moment
    ) {
        self.name = name
        self.holder = holder
        self.token = token
        self.ttl = ttl
        self.uid = uid
        since = moment.time
        renewed = moment
    }

    init(from reader: inout ByteReader) throws(WireError) {
        let grant = try LeaseGrant(from: &reader)
        name = grant.name
        holder = grant.holder
        token = grant.token
        ttl = grant.ttl
        uid = try reader.integer("uid")
        since = try reader.timestamp("since")
        renewed = Moment(
            version: try reader.version("renewed"), time: try reader.timestamp("renewed at"))
    }
}

/// What a daemon needs to know to end a lease in time.
package struct LeaseTerm: Hashable, Sendable {
    package var name: ObjectName
    /// The version at which it was granted, renewed or transferred last.
    package var renewed: Version
    /// How much time must pass from then on.
    package var ttl: Interval

    package init(name: ObjectName, renewed: Version, ttl: Interval) {
        self.name = name
        self.renewed = renewed
        self.ttl = ttl
    }
}
