import ConclaveBase
import ConclaveWire

/// Watches of keys: what daemons tell, put together over connections.
extension ClientCore {
    mutating func take(_ news: KeyNews, _ id: CallID, effects: inout [Effect]) {
        guard let update = calls.changeWatch(id, { $0.take(news) }) else { return }
        var isWorthAWord = true
        if case .changes(let changes, _) = update, changes.isEmpty {
            isWorthAWord = calls[id]?.isAnswered == false
        }
        if isWorthAWord { tell(update, id, effects: &effects) }
        if doubt == nil { assure(id, effects: &effects) }
    }

    private mutating func tell(_ update: KeyUpdate, _ id: CallID, effects: inout [Effect]) {
        let answer = Answer.report(.keyUpdate(update))
        guard calls[id]?.isAnswered == false else { return effects.append(.event(id, answer)) }
        calls.noteAnswered(id)
        effects.append(.answered(id, answer))
    }

    /// Why not everything may be told that there is.
    private var doubt: String? {
        switch phase {
        case .apart, .connecting, .greeting: apartReason
        case .greeted, .open: serving.flatMap { $0.isServing ? nil : $0.reason }
        }
    }

    /// Whether a daemon is there and serves may have changed.
    mutating func tellWatchers(effects: inout [Effect]) {
        let isDoubted = doubt != nil
        for id in calls.inOrder where calls[id]?.watch != nil {
            if isDoubted {
                tellDoubt(id, effects: &effects)
            } else {
                assure(id, effects: &effects)
            }
        }
    }

    /// Who has not been told anything yet hears of a daemon that does not serve, but not that there
    /// is none: there may be one in a moment.
    mutating func tellDoubt(_ id: CallID, effects: inout [Effect]) {
        guard let reason = doubt, calls[id]?.isAnswered == true || isGreeted,
            calls.changeWatch(id, { $0.doubt() }) == true
        else { return }
        tell(.doubtful(reason: reason), id, effects: &effects)
    }

    private var isGreeted: Bool { phase == .greeted || phase == .open }

    private mutating func assure(_ id: CallID, effects: inout [Effect]) {
        guard calls.changeWatch(id, { $0.assure() }) == true else { return }
        tell(.assured, id, effects: &effects)
    }

    /// The connection is gone, and what of a state has come is of no use.
    mutating func interruptWatches() {
        for id in calls.inOrder where calls[id]?.watch != nil {
            _ = calls.changeWatch(id) { $0.interrupt() }
        }
    }
}
