import ConclaveBase

/// How long a member keeps suspicions to itself that may be as wrong as its last ones (V12).
struct Patience: Equatable {
    private(set) var pause = Interval.zero
    private(set) var until = Instant.distantPast

    static let longest = Interval.seconds(60)

    /// A view change led to nothing: everybody who was accused is a member still.
    mutating func wasFutile(shortest: Interval, now: Instant) {
        pause = min(max(pause * 2, shortest), Self.longest)
        until = now.advanced(by: pause)
    }

    /// After a quiet time the past does not count.
    mutating func isOver(now: Instant) -> Bool {
        guard now >= until else { return false }
        if pause > .zero, now.since(until) > Self.longest { pause = .zero }
        return true
    }
}

/// What this member itself suspects.
extension Membership {
    func accuse(
        _ whom: NodeID, _ reason: DepartureReason, silent: Interval, late: Interval, now: Instant,
        effects: inout [Effect]
    ) {
        let isDoubtful = !isEnding && (reason == .silent || reason == .stalled)
        if isDoubtful, !patience.isOver(now: now) {
            guard !keptToItself.contains(whom) else { return }
            keptToItself.append(whom)
            return effects.append(
                .event(.suspicionHeld(whom, reason: reason, pause: patience.pause)))
        }
        effects.append(.event(.suspected(whom, reason: reason, silent: silent, late: late)))
        if isDoubtful, let rank = memory.current?.view.rank(of: whom) {
            accused.append(memory.current?.members[rank.index] ?? own)
        }
        suspect(whom, reason, by: own.node, silent: silent, now: now, effects: &effects)
    }

    /// A view begins: were the accusations that led to it right?
    func judgeAccusations(by value: NextView, now: Instant) {
        if !accused.isEmpty, accused.allSatisfy(value.view.contains) {
            patience.wasFutile(shortest: settings.suspicion * 2, now: now)
        }
        accused = []
        keptToItself = []
    }
}
