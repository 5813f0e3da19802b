package import ConclaveBase
package import ConclaveGroup

/// What a replica tells its user, in order.
package enum ReplicaOutput<Effect> {
    /// What the state machine made of delivered commands; never nothing.
    case machine([Effect])
    /// A view begins, at this point of the order; proposals of the epoch before that were not
    /// delivered are dropped. `rank` is nil while this member is not in it. Also told, with every
    /// `machine` effect before it suppressed, after a start or a transfer of state: whatever was
    /// derived from the machine's effects is to be read from the machine anew.
    case installed(InstalledView, rank: Rank?, stateReplaced: Bool)
    /// The epoch ends: no validity is extended and nothing is proposed until the next view.
    case wedged(Epoch)
    /// A majority has confirmed the heartbeat that was sent at `since`, by this member's clock, in
    /// the installed epoch (K3). It only grows within an epoch.
    case confirmed(since: Instant)
    /// Everything that was acknowledged anywhere before those numbers were asked for is applied here.
    case marked(upTo: UInt64)
    /// Whether requests are taken now, and if not, why.
    case serving(isServing: Bool, reason: String)
    case event(GroupEvent)
    /// How it went with a change of the member list, by the number that it was asked for with.
    case memberChange(UInt64, MemberChangeOutcome)
    /// How it went with going on alone, by the number that it was asked for with.
    case salvaged(UInt64, SalvageOutcome)
    /// This member was removed from the list, and the others had time to go on: it may end.
    case removed
    /// The daemon must end.
    case fatal(FatalFault)
}

/// The answer to whoever wanted the member list changed.
package enum MemberChangeOutcome: Equatable, Sendable {
    /// The list is so since that view, or was so before.
    case done(Epoch)
    /// It cannot be, now or ever. Nothing was changed.
    case refused(String)
    /// This member serves nothing. Nothing was changed.
    case unavailable(String)
    /// No view came in time: it may still happen.
    case unknown(String)
}

/// Why a replica cannot go on, or not start. The daemon ends with an exit status of its own.
package enum FatalFault: Error, Equatable, Sendable {
    /// A failed sync or write: nothing is known about what reached the disk (V31).
    case disk(DiskError)
    /// Acknowledged data may be missing: a file is bad in a way that no crash explains.
    case damaged(String)
    /// The data belongs to another node or format.
    case foreignData(String)
    /// The replicas differ, or a rule was broken inside.
    case broken(String)
}
