import ConclaveBase

/// Which slots of the validity page are in use. Slot 0 is the daemon's own.
///
/// A slot that a session had to give up stays out of use until that session is over: whoever reads
/// it still, and looks only at the session's name, must never see it extended for another process
/// (K7).
struct ValiditySlots {
    private let count: UInt32
    private var fresh: UInt32 = 1
    private var free: [UInt32] = []
    private var retired: [SessionID: [UInt32]] = [:]

    init(count: UInt32) {
        self.count = count
    }

    var isFull: Bool { free.isEmpty && fresh >= count }

    func retiredCount(of session: SessionID) -> Int { retired[session]?.count ?? 0 }

    mutating func take() -> UInt32? {
        if let slot = free.popLast() { return slot }
        guard fresh < count else { return nil }
        defer { fresh += 1 }
        return fresh
    }

    mutating func retire(_ slot: UInt32, of session: SessionID) {
        retired[session, default: []].append(slot)
    }

    mutating func sessionEnded(_ session: SessionID) {
        free += retired.removeValue(forKey: session) ?? []
    }

    /// Of these sessions some may have ended without a word.
    mutating func sessionsEnded(unless isGoingOn: (SessionID) -> Bool) {
        for session in retired.keys.sorted() where !isGoingOn(session) { sessionEnded(session) }
    }
}
