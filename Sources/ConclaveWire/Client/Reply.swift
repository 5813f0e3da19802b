package import ConclaveBase

/// The definite answer to an `Operation`: the same on every member, kept until the client confirms
/// it.
package enum Reply: Equatable, Sendable {
    case granted(LockGrant)
    /// By name, all under one token.
    case grantedAll([LockGrant])
    /// Not free, and the request was a try.
    case busy(holder: SessionID?)
    case elected(Term)
    /// Released (also a lease), removed (a latch), downgraded, announced, resigned, or a limit was set.
    case done
    case tripped(BarrierResult)
    case broken(BarrierBreak)
    /// To the request that was cancelled.
    case cancelled
    /// To a cancel: whether it came in time. If not, the request's own reply stands.
    case cancelOutcome(wasCancelled: Bool)
    case refused(Refusal)
    case written(KeysWritten)
    /// Nothing was changed.
    case mismatched(KeyMismatch)
    /// Granted, renewed or transferred.
    case leased(LeaseGrant)
    /// Somebody else has it, as the grant says.
    case leaseTaken(LeaseGrant)
    case joined(GroupJoined)
    case sent(GroupSent)
    /// Counted down, or waited for until nothing remained.
    case counted(LatchState)

    private enum Kind: UInt8 {
        case granted = 1
        case busy, elected, done, tripped, broken, cancelled, cancelOutcome, refused
        case written, mismatched, leased, leaseTaken, joined, sent, counted, grantedAll
    }

    package func encode(into writer: inout ByteWriter) {
        switch self {
        case .granted(let grant):
            writer.integer(Kind.granted.rawValue)
            grant.encode(into: &writer)
        case .grantedAll(let grants):
            writer.integer(Kind.grantedAll.rawValue)
            writer.count(grants.count)
            for grant in grants { grant.encode(into: &writer) }
        case .busy(let holder):
            writer.integer(Kind.busy.rawValue)
            writer.optional(holder?.number)
        case .elected(let term):
            writer.integer(Kind.elected.rawValue)
            term.encode(into: &writer)
        case .done:
            writer.integer(Kind.done.rawValue)
        case .tripped(let result):
            writer.integer(Kind.tripped.rawValue)
            result.encode(into: &writer)
        case .broken(let report):
            writer.integer(Kind.broken.rawValue)
            report.encode(into: &writer)
        case .cancelled:
            writer.integer(Kind.cancelled.rawValue)
        case .cancelOutcome(let wasCancelled):
            writer.integer(Kind.cancelOutcome.rawValue)
            writer.flag(wasCancelled)
        case .refused(let refusal):
            writer.integer(Kind.refused.rawValue)
            refusal.encode(into: &writer)
        case .written(let written):
            writer.integer(Kind.written.rawValue)
            written.encode(into: &writer)
        case .mismatched(let mismatch):
            writer.integer(Kind.mismatched.rawValue)
            mismatch.encode(into: &writer)
        case .leased(let grant):
            writer.integer(Kind.leased.rawValue)
            grant.encode(into: &writer)
        case .leaseTaken(let grant):
            writer.integer(Kind.leaseTaken.rawValue)
            grant.encode(into: &writer)
        case .joined(let joined):
            writer.integer(Kind.joined.rawValue)
            joined.encode(into: &writer)
        case .sent(let sent):
            writer.integer(Kind.sent.rawValue)
            sent.encode(into: &writer)
        case .counted(let state):
            writer.integer(Kind.counted.rawValue)
            state.encode(into: &writer)
        }
    }

    package init(from reader: inout ByteReader) throws(WireError) {
        let kind: Kind = try reader.choice("reply")
        switch kind {
        case .granted: self = .granted(try LockGrant(from: &reader))
        case .grantedAll:
            var grants: [LockGrant] = []
            for _ in 0..<(try reader.count("grants", maximum: ClientLimits.lockSet)) {
                grants.append(try LockGrant(from: &reader))
            }
            self = .grantedAll(grants)
        case .busy:
            let holder: UInt64? = try reader.optional("holder")
            self = .busy(holder: holder.map(SessionID.init))
        case .elected: self = .elected(try Term(from: &reader))
        case .done: self = .done
        case .tripped: self = .tripped(try BarrierResult(from: &reader))
        case .broken: self = .broken(try BarrierBreak(from: &reader))
        case .cancelled: self = .cancelled
        case .cancelOutcome: self = .cancelOutcome(wasCancelled: try reader.flag("cancelled"))
        case .refused: self = .refused(try Refusal(from: &reader))
        case .written: self = .written(try KeysWritten(from: &reader))
        case .mismatched: self = .mismatched(try KeyMismatch(from: &reader))
        case .leased: self = .leased(try LeaseGrant(from: &reader))
        case .leaseTaken: self = .leaseTaken(try LeaseGrant(from: &reader))
        case .joined: self = .joined(try GroupJoined(from: &reader))
        case .sent: self = .sent(try GroupSent(from: &reader))
        case .counted: self = .counted(try LatchState(from: &reader))
        }
    }
}

/// How the holder before this one lost the lock or term.
package enum PreviousEnd: UInt8, Sendable, CaseIterable {
    case none = 0
    case released = 1
    /// Its session said goodbye while holding.
    case goodbye = 2
    /// Its process died.
    case died = 3
    /// Its session's validity ran out.
    case expired = 4
    /// An administrator ended its session.
    case forced = 5
}

package struct LockGrant: Equatable, Sendable {
    package var name: ObjectName
    package var mode: LockMode
    package var token: FencingToken
    package var previousEnd: PreviousEnd

    package init(
        name: ObjectName, mode: LockMode, token: FencingToken, previousEnd: PreviousEnd
    ) {
        self.name = name
        self.mode = mode
        self.token = token
        self.previousEnd = previousEnd
    }

    package init(from reader: inout ByteReader) throws(WireError) {
        name = try reader.name("name")
        mode = try LockMode(from: &reader)
        token = try reader.token("token")
        previousEnd = try reader.choice("previous end")
    }

    package func encode(into writer: inout ByteWriter) {
        writer.name(name)
        mode.encode(into: &writer)
        writer.integer(token.number)
        writer.integer(previousEnd.rawValue)
    }
}

/// A leader's time in office; its number is the token.
package struct Term: Equatable, Sendable {
    package var slot: ObjectName
    /// Which of the slot's places it is, from 0 on: nobody else has it meanwhile.
    package var place: UInt32
    package var token: FencingToken
    package var previousEnd: PreviousEnd
    /// What the leader before had published last.
    package var previousValue: [UInt8]

    package init(
        slot: ObjectName, place: UInt32 = 0, token: FencingToken, previousEnd: PreviousEnd,
        previousValue: [UInt8]
    ) {
        self.slot = slot
        self.place = place
        self.token = token
        self.previousEnd = previousEnd
        self.previousValue = previousValue
    }

    package init(from reader: inout ByteReader) throws(WireError) {
        slot = try reader.name("slot")
        place = try reader.place("place")
        token = try reader.token("token")
        previousEnd = try reader.choice("previous end")
        previousValue = try reader.bytes("value", maximum: ClientLimits.leaderValue)
    }

    package func encode(into writer: inout ByteWriter) {
        writer.name(slot)
        writer.integer(place)
        writer.integer(token.number)
        writer.integer(previousEnd.rawValue)
        writer.bytes(previousValue)
    }
}

/// Why a request was refused. The numbers are those of the public error codes and of error frames.
package enum RefusalCode: UInt16, Sendable, CaseIterable {
    case invalid = 1
    case denied = 2
    case quotaExceeded = 3
    /// The request would close a circle of waiting; the message names it.
    case deadlock = 4
    /// What was to be released is not held by this session under this token.
    case notHeld = 5
    /// The session is over, or was never known.
    case sessionEnded = 6
    /// This session holds or awaits it already.
    case alreadyHeld = 7
    /// The daemon cannot answer now.
    case unavailable = 8
    case unsupported = 9
    /// The frame did not decode; the connection is closed after it.
    case malformed = 10
    /// It cannot be as things are; the message says why. Nothing was changed.
    case refused = 11
    /// Nobody knows yet whether it happens.
    case outcomeUnknown = 12
    /// What is asked for lies before the history that is kept.
    case historyGone = 13
}

package struct Refusal: Error, Equatable, Sendable {
    package var code: RefusalCode
    package var message: String

    package init(_ code: RefusalCode, _ message: String) {
        self.code = code
        self.message = message
    }

    package init(from reader: inout ByteReader) throws(WireError) {
        let number: UInt16 = try reader.integer("code")
        guard let code = RefusalCode(rawValue: number) else {
            throw .unknown(field: "code", value: UInt64(number))
        }
        self.code = code
        message = try reader.text("message", maximum: Int(UInt16.max))
    }

    package func encode(into writer: inout ByteWriter) {
        writer.integer(code.rawValue)
        writer.text(message)
    }
}
