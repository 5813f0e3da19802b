package import ConclaveBase

/// What is wanted of a lease: a right for a time that belongs to whom its holder's name says, and to
/// no session.
package struct LeaseOperation: Equatable, Sendable {
    package enum Action: Equatable, Sendable {
        /// Takes it, if nobody has it.
        case grant(ttl: Interval, holder: String)
        /// Its time begins anew. It is as long as before: who has it believes so until then.
        case renew(token: FencingToken)
        case release(token: FencingToken)
        /// Somebody else has it from now on, under a token of their own; its time begins anew, and
        /// is so long, or as long as before.
        case transfer(token: FencingToken, holder: String, ttl: Interval?)
    }

    package var name: ObjectName
    package var action: Action

    package init(_ name: ObjectName, _ action: Action) {
        self.name = name
        self.action = action
    }

    private enum Kind: UInt8 {
        case grant = 1
        case renew = 2
        case release = 3
        case transfer = 4
    }

    /// What it is to last; `nil`: as long as before, or it ends.
    package var ttl: Interval? {
        switch action {
        case .grant(let ttl, _): ttl
        case .transfer(_, _, let ttl): ttl
        case .renew, .release: nil
        }
    }

    package init(from reader: inout ByteReader) throws(WireError) {
        name = try reader.name("lease")
        let kind: Kind = try reader.choice("action")
        switch kind {
        case .grant:
            let ttl = try reader.ttl("ttl")
            action = .grant(ttl: ttl, holder: try reader.leaseHolder("holder"))
        case .renew: action = .renew(token: try reader.token("token"))
        case .release: action = .release(token: try reader.token("token"))
        case .transfer:
            let token = try reader.token("token")
            let holder = try reader.leaseHolder("holder")
            action = .transfer(token: token, holder: holder, ttl: try reader.optionalTTL("ttl"))
        }
    }

    package func encode(into writer: inout ByteWriter) {
        writer.name(name)
        switch action {
        case .grant(let ttl, let holder):
            writer.integer(Kind.grant.rawValue)
            writer.integer(ttl.nanoseconds)
            writer.text(holder)
        case .renew(let token):
            writer.integer(Kind.renew.rawValue)
            writer.integer(token.number)
        case .release(let token):
            writer.integer(Kind.release.rawValue)
            writer.integer(token.number)
        case .transfer(let token, let holder, let ttl):
            writer.integer(Kind.transfer.rawValue)
            writer.integer(token.number)
            writer.text(holder)
            writer.optional(ttl?.nanoseconds)
        }
    }
}

extension ByteReader {
    /// More than zero.
    package mutating func ttl(_ field: String) throws(WireError) -> Interval {
        let nanoseconds: Int64 = try integer(field)
        guard nanoseconds > 0 else {
            throw .invalid(field: field, reason: "must be more than 0")
        }
        return Interval(nanoseconds: nanoseconds)
    }

    fileprivate mutating func optionalTTL(_ field: String) throws(WireError) -> Interval? {
        try flag("has \(field)") ? try ttl(field) : nil
    }

    package mutating func leaseHolder(_ field: String) throws(WireError) -> String {
        let holder = try text(field, maximum: ClientLimits.leaseHolder)
        guard !holder.isEmpty else { throw .invalid(field: field, reason: "is empty") }
        guard !holder.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) else {
            throw .invalid(field: field, reason: "has a control character")
        }
        return holder
    }
}
