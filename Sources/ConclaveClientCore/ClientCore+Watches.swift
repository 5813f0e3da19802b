import ConclaveBase
import ConclaveWire

/// Watches of keys: what daemons tell, put together over connections.
extension ClientCore {
    mutating func take(_ news: KeyNews, _ id: CallID, effects: inout [Effect]) {
        guard let update = calls.changeWatch(id, { $0.take(news) }) else { return }
        if doubt == nil { assure(id, effects: &effects) }
        guard calls[id]?.isAnswered == true else {
            calls.noteAnswered(id)
            return effects.append(.answered(id, .report(.keyUpdate(update))))
        }
        if case .changes(let changes, _) = update, changes.isEmpty { return }
        effects.append(.event(id, .report(.keyUpdate(update))))
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
        let reason = doubt
        for id in calls.inOrder where calls[id]?.watch != nil && calls[id]?.isAnswered == true {
            guard let reason else {
                assure(id, effects: &effects)
                continue
            }
            guard calls.changeWatch(id, { $0.doubt() }) == true else { continue }
            effects.append(.event(id, .report(.keyUpdate(.doubtful(reason: reason)))))
        }
    }

    private mutating func assure(_ id: CallID, effects: inout [Effect]) {
        guard calls.changeWatch(id, { $0.assure() }) == true else { return }
        effects.append(.event(id, .report(.keyUpdate(.assured))))
    }

    /// The connection is gone, and what of a state has come is of no use.
    mutating func interruptWatches() {
        for id in calls.inOrder where calls[id]?.watch != nil {
            _ = calls.changeWatch(id) { $0.interrupt() }
        }
    }
}
