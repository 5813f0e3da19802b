import ConclaveBase
import ConclaveWire

/// What is followed: keys and groups, put together over connections, and leaders.
extension ClientCore {
    mutating func take(_ news: KeyNews, _ id: CallID, effects: inout [Effect]) {
        calls.hear(id)
        guard let update = calls.changeWatch(id, { $0.take(news) }) else { return }
        var isWorthAWord = true
        if case .changes(let changes, _) = update, changes.isEmpty {
            isWorthAWord = calls[id]?.isAnswered == false
        }
        if isWorthAWord { tell(.keyUpdate(update), id, effects: &effects) }
        assure(id, effects: &effects)
    }

    /// A member that is none any more is told nothing else.
    mutating func take(_ news: GroupNews, _ id: CallID, effects: inout [Effect]) {
        calls.hear(id)
        guard let updates = calls.changeGroup(id, { $0.take(news) }) else { return }
        if !updates.isEmpty || calls[id]?.isAnswered == false, !news.isPiece {
            tell(.groupUpdates(updates), id, effects: &effects)
        }
        if calls[id]?.group?.isOver == true { return calls.remove(id) }
        assure(id, effects: &effects)
    }

    /// Whoever follows has not taken what it was told: nothing more is told until `resume`, and the
    /// daemon is not asked to. Nothing is lost by it that a lost connection would not lose.
    ///
    /// What is no subscription, or was told nothing yet, goes on.
    package mutating func pause(_ id: CallID, effects: inout [Effect]) {
        guard !isOver, let call = calls[id], call.isAnswered, call.givenUp == nil, !call.isPaused
        else { return }
        unsubscribe(call, effects: &effects)
        calls.pause(id)
    }

    /// It has taken enough: what it missed is told, from where it was.
    package mutating func resume(_ id: CallID, effects: inout [Effect]) {
        guard !isOver, calls[id]?.isPaused == true else { return }
        calls.resume(id)
        if isGreeted { sendQuery(id, effects: &effects) }
        tellDoubt(id, effects: &effects)
    }

    private mutating func tell(_ report: Report, _ id: CallID, effects: inout [Effect]) {
        let answer = Answer.report(report)
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
    mutating func tellFollowers(effects: inout [Effect]) {
        let isDoubted = doubt != nil
        for id in calls.inOrder where calls[id].map({ $0.assurance != nil && !$0.isPaused }) == true
        {
            if isDoubted {
                tellDoubt(id, effects: &effects)
            } else {
                assure(id, effects: &effects)
            }
        }
    }

    /// Who watches keys or a group and has not been told anything yet hears of a daemon that does not
    /// serve, but not that there is none: there may be one in a moment. Of a leader the first state is
    /// awaited.
    mutating func tellDoubt(_ id: CallID, effects: inout [Effect]) {
        guard let reason = doubt, let call = calls[id],
            call.isAnswered || (call.isPieced && isGreeted),
            calls.changeAssurance(id, { $0.doubt() })
        else { return }
        tell(.doubtful(reason: reason), id, effects: &effects)
    }

    /// A state that may not be the present one comes behind the word that says so, since somebody may
    /// listen to no more than that.
    mutating func tellFirst(_ report: Report, _ id: CallID, effects: inout [Effect]) {
        if let reason = doubt, calls.changeAssurance(id, { $0.doubt() }) {
            effects.append(.answered(id, .report(.doubtful(reason: reason))))
            effects.append(.event(id, .report(report)))
        } else {
            effects.append(.answered(id, .report(report)))
        }
    }

    private var isGreeted: Bool { phase == .greeted || phase == .open }

    /// After something was told.
    mutating func assure(_ id: CallID, effects: inout [Effect]) {
        guard doubt == nil, calls.changeAssurance(id, { $0.assure() }) else { return }
        tell(.assured, id, effects: &effects)
    }

    /// The connection is gone, and what of a state has come is of no use.
    mutating func interruptFollowers() {
        for id in calls.inOrder { calls.interrupt(id) }
    }
}

extension GroupNews {
    /// More must come before it says anything.
    fileprivate var isPiece: Bool {
        if case .state(let part) = self { !part.isLast } else { false }
    }
}
