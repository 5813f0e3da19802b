import ConclaveWire

/// A reply as it is kept until the client confirms it. What a barrier decided is kept once, in the
/// barrier, however many parties it has.
enum StoredReply: Equatable, Sendable {
    case reply(Reply)
    case decision(DecisionReference)
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
