package import ConclaveBase
package import ConclaveWire

/// What an applied command means for the daemons. Every member is told all of it, in the same
/// order; the one a session is attached to acts on what concerns that session.
package enum CoordinationEffect: Equatable, Sendable {
    /// A new session, or the one that this `id` opened before, attached anew.
    case opened(id: Secret, nonce: UInt64, session: SessionID, attachment: Attachment)
    /// A resume is done. The client is to be told which numbers are waiting, and sent again all
    /// stored replies, in the order of their numbers and before any later one.
    case attached(session: SessionID, nonce: UInt64, attachment: Attachment)
    /// Of an open or a resume at `member`.
    case openRefused(nonce: UInt64, member: Member, Refusal)
    /// Another process wants this session (K7), or an administrator wants it to end (K6): the
    /// attached daemon withdraws the validity, then orders `yieldAttachment`. Told again at each view
    /// as long as that is so.
    case detachRequested(session: SessionID, attachment: Attachment, isForced: Bool = false)
    /// Its daemon tells the client, if it is connected.
    case letGoAsked(session: SessionID, LetGoNotice)
    /// What it held and awaited is gone; its requests get no further answer.
    case sessionEnded(session: SessionID, attachment: Attachment, reason: SessionEnd)
    /// Applied, and waiting. `position`: at most so many waiters are ahead; at a barrier, so many
    /// parties are missing.
    case queued(session: SessionID, number: UInt64, position: UInt32)
    /// The definite answer, at once or later, and again whenever the request is repeated.
    case reply(session: SessionID, number: UInt64, Reply)
    /// A request of a number that its client had confirmed: nothing is kept of it but that, and it
    /// has changed nothing.
    case settled(session: SessionID, number: UInt64)
    /// A holder was lost: nobody is granted the lock until `openLock`, which is to be ordered when
    /// more than `delay` has passed.
    case lockClosed(ClosedLock)
    /// Another leader, nobody, or a new value.
    case leaderChanged(slot: ObjectName)
    /// Those keys, by name, are not as they were; all at once.
    case keysChanged([ObjectName], at: Version)
    /// A lease was granted, renewed or transferred: when more than its ttl has passed,
    /// `expireLease` is to be ordered.
    case leaseSet(LeaseTerm)
    /// Nobody has it any more.
    case leaseEnded(ObjectName)
    /// The task group has another view, or a message.
    case groupChanged(ObjectName, at: Version)
    /// A command that this daemon does not know, as no daemon of its version does: it had no effect.
    case notUnderstood(at: Version)
}
