import ConclaveGroup

/// What a host has just done, when some runs let go wrong what is the worst just then.
enum FaultOccasion: CaseIterable {
    /// It asks for acceptance of a next view: nobody knows the value but itself.
    case proposal
    /// It begins the first view.
    case founding
    /// It has a new snapshot, and what that replaces goes.
    case snapshot

    init?(_ event: GroupEvent) {
        switch event {
        case .proposed: self = .proposal
        case .founding: self = .founding
        case .snapshotWritten: self = .snapshot
        default: return nil
        }
    }

    /// What goes wrong then, if it does in this run at all.
    var kinds: Set<FaultKind> {
        switch self {
        case .proposal: [.kill, .isolate, .oneWay]
        case .founding: [.kill, .power, .isolate]
        case .snapshot: [.kill, .power]
        }
    }

    /// Of a thousand runs, those that let something go wrong then.
    static let runsPerMille: UInt64 = 150
    /// In those, of a thousand occasions.
    static let strikesPerMille: UInt64 = 300
}
