import ConclaveBase

/// One party that waits at a barrier. It is kept as it was when it arrived, whoever resumes the
/// session later.
struct Arrival: Sendable {
    var request: RequestReference
    var session: SessionID
    var host: NodeID
    var pid: UInt32
    /// As the party gave it, or `nil`: by order of arrival.
    var rank: UInt32?
    var payload: [UInt8]
    /// For which member of the barrier's group; `nil`: the parties are counted.
    var member: FencingToken?
    var at: Timestamp
}
