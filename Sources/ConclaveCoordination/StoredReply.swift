import ConclaveBase
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

    /// What it takes beyond what any reply does, in bytes: names that were asked for, and values. Bounds
    /// depend on it, so it is the same on all members.
    package var keptByteCount: Int {
        switch self {
        case .grantedAll(let grants):
            grants.reduce(0) { $0 + Self.grantByteCount + $1.name.text.utf8.count }
        case .elected(let term): term.previousValue.count
        case .granted, .busy, .done, .tripped, .broken, .cancelled, .cancelOutcome, .refused,
            .written, .mismatched, .leased, .leaseTaken, .joined, .sent, .counted:
            0
        }
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
    /// Several locks as one.
    case lockSet
    /// It is held, and shared.
    case upgrade(claim: Int)
    case slot(claim: Int)
    case barrier(Int)
    case latch(Int)
}
