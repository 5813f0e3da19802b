/// What was changed on a disk behind its daemon's back, and what that explains (V30).
struct Damage {
    /// How often the daemon was started before.
    var atStart: Int
    /// The end of what was acknowledged may be missed without a word: a write that was synced, and that
    /// no record speaks of, looks like one that a crash left unfinished.
    var mayHideEnd: Bool
    /// The journal may be set aside. Not for one copy of the view journal: the other has all.
    var mayLoseJournal: Bool
}

extension FaultKind {
    /// What it explains when it strikes `file`, where `recorded` is the newest segment of which a record
    /// says that it is there, and `isFollowed`: a later one holds a batch that comes
    /// after all of its own.
    func damage(
        to file: String, recorded: String, isFollowed: Bool, atStart start: Int
    ) -> Damage {
        let isSegment = file.hasPrefix("segment")
        let isUnmissed = self == .rot || self == .rotNewest ? !isFollowed : file > recorded
        return Damage(
            atStart: start, mayHideEnd: isSegment && isUnmissed,
            mayLoseJournal: !file.hasPrefix("views"))
    }
}
