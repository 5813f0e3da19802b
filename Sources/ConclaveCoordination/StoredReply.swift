package import ConclaveBase
package import ConclaveWire

/// A reply as it is kept until the client confirms it. What a barrier decided is kept once, in the
/// barrier, however many parties it has.
enum StoredReply: Equatable, Sendable {
    case reply(Reply)
    case decision(DecisionReference)
}

extension StoredReply {
    var byteCount: Int { if case .reply(let reply) = self { reply.keptByteCount } else { 0 } }
}

extension Reply {
    /// What each grant of several takes beside its name.
    private static let grantByteCount = 64
    /// What a refusal takes, whatever it says: no text is longer. That something is too much is said in few
    /// words, and must not make it more.
    private static let refusalByteCount = 1_024
    /// Of one name, so much is part of what any reply takes.
    private static let usualNameByteCount = 64

    /// What it takes beyond what any reply does, in bytes: long names that were asked for, values, and why
    /// it was refused. Bounds depend on it, so it is the same on all members.
    package var keptByteCount: Int {
        switch self {
        case .grantedAll(let grants): Self.keptByteCount(ofGrants: grants.map(\.name))
        case .granted(let grant): Self.beyondUsual(grant.name.text.utf8.count)
        case .elected(let term):
            Self.beyondUsual(term.slot.text.utf8.count) + term.previousValue.count
        case .refused(let refusal): refusal.code == .quotaExceeded ? 0 : Self.refusalByteCount
        case .mismatched(let mismatch): Self.beyondUsual(mismatch.key.text.utf8.count)
        case .leased(let grant), .leaseTaken(let grant):
            Self.beyondUsual(grant.name.text.utf8.count + grant.holder.utf8.count)
        case .joined(let joined): Self.beyondUsual(joined.name.text.utf8.count)
        case .counted(let latch): Self.beyondUsual(latch.name.text.utf8.count)
        case .busy, .done, .tripped, .broken, .cancelled, .cancelOutcome, .written, .sent: 0
        }
    }

    private static func beyondUsual(_ byteCount: Int) -> Int {
        max(0, byteCount - usualNameByteCount)
    }

    /// What a grant of several locks takes.
    package static func keptByteCount(ofGrants names: [ObjectName]) -> Int {
        names.reduce(0) { $0 + grantByteCount + $1.text.utf8.count }
    }
}

/// One party's share in a decided generation: the barrier's index in its table, and which rank the
/// party is told.
struct DecisionReference: Equatable, Sendable {
    var barrier: Int
    var generation: UInt64
    var rank: UInt32
}

/// What a request waits in: the claim in its table, the barrier, or the latch.
enum WaitingPlace: Equatable, Sendable {
    case lock(claim: Int)
    /// Several locks as one; the bytes that the grant of all will take.
    case lockSet(replyByteCount: Int)
    /// It is held, and shared.
    case upgrade(claim: Int)
    case slot(claim: Int)
    case barrier(Int)
    case latch(Int)
}

extension WaitingPlace {
    /// What the reply may take, counted from the beginning: it cannot be refused when it comes.
    var replyByteCount: Int {
        switch self {
        case .lockSet(let replyByteCount): replyByteCount
        case .slot: ClientLimits.leaderValue
        case .barrier: ClientLimits.waitingArrival
        case .lock, .upgrade, .latch: 0
        }
    }
}
