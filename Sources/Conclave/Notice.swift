public import ConclaveBase
package import ConclaveWire

/// An administrator asks this process to let go of something that it holds. Nothing happens by
/// itself; but the next request may be to end the session by force.
public struct Notice: Hashable, Sendable {
    public let kind: ObjectStatus.Kind
    public let name: String
    /// Of what is to be let go of: `Lock.token`, `Term.token`.
    public let token: FencingToken
    /// How long the administrator means to wait.
    public let within: Duration
    /// Whom a leader is to hand over to: see `Term.handOver`.
    public let heir: SessionID?

    package init(_ notice: LetGoNotice) {
        kind = ObjectStatus.Kind(notice.kind)
        name = notice.name.text
        token = notice.token
        within = Duration(notice.within)
        heir = notice.heir
    }
}
