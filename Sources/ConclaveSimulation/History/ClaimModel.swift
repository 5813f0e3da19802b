import ConclaveBase
import ConclaveWire

/// A lock, a semaphore or a leader slot as its users see it.
///
/// A grant happens when it is made, not when it is asked for: who waits is not part of the state.
/// Tokens are versions of one order, so grants happen in the order of their tokens; an end of a
/// session happens at any time that the process cannot rule out. Whether the next holder is told
/// truly how the last one ended can be judged only if every grant is known.
struct ClaimModel: SequentialModel {
    struct Holder: Hashable {
        var process: UInt64
        /// 0: not known, since the grant was never told.
        var token: UInt64
        var mode: LockMode
        var value: [UInt8]
        /// Of a slot's places; `nil`: not known, or it is no slot.
        var place: UInt32?
    }

    enum End: Hashable {
        case nothing
        case released
        case session(UInt64)
    }

    struct State: Hashable {
        var holders: [Holder] = []
        /// Grants that were told and have happened.
        var grantCount = 0
        /// Processes whose sessions are over.
        var over: Set<UInt64> = []
        var lastEnd = End.nothing
        var lastValue: [UInt8] = []
        /// The process that was handed a slot and leads next, at that very moment.
        var heir: UInt64?
    }

    struct Grant {
        var mode: LockMode
        var token: UInt64
        var value: [UInt8]
        /// So many grants have smaller tokens.
        var earlierCount: Int
        var after: PreviousEnd
        /// Of a slot that has several.
        var place: UInt32?
        /// Of a term.
        var previousValue: [UInt8]?
    }

    enum Action {
        case grant(process: UInt64, Grant)
        /// It waited, and whether it was granted was never told.
        case maybeGranted(process: UInt64, mode: LockMode, value: [UInt8])
        /// What it has together with others it has alone now.
        case upgrade(process: UInt64, from: UInt64, Grant)
        /// Whether it got it alone was never told.
        case maybeUpgraded(process: UInt64, token: UInt64)
        case downgrade(process: UInt64, token: UInt64)
        /// `findsWaiter`: somebody may have waited to have it alone.
        case busy(LockMode, holder: UInt64?, findsWaiter: Bool, by: UInt64)
        /// A try did not get what nobody had, since it was closed after a loss, or kept for somebody.
        case closed(process: UInt64)
        case letGo(process: UInt64, token: UInt64)
        /// `to`: who leads next, if that can be told.
        case handOver(process: UInt64, token: UInt64, to: UInt64?)
        case announce(process: UInt64, token: UInt64, value: [UInt8])
        /// It was said that this is not held.
        case notHeld(process: UInt64, token: UInt64)
        case end(process: UInt64, isRequired: Bool)
    }

    let lives: [UInt64: History.Life]
    /// Nobody's grant is unknown.
    let isComplete: Bool
    /// Of a semaphore; `nil`: it is none, or nobody knows.
    var limit: UInt32?
    /// Somebody has asked for it to be closed when he is lost: a try may find busy what it could
    /// share.
    var mayBeClosed = false
    /// It may be kept for somebody who waits for other locks, while nobody has it.
    var mayBeKept = false
    /// Holders may have been lost that had let go, as they were told.
    var wasGivenUp = false

    func step(_ action: Action, from state: State) -> State? {
        switch action {
        case .grant(let process, let grant): return self.grant(grant, to: process, state)
        case .maybeGranted(let process, let mode, let value):
            guard admits(mode, state), !state.over.contains(process) else { return nil }
            return holding(
                Holder(process: process, token: 0, mode: mode, value: value), state)
        case .upgrade(let process, let old, let grant):
            guard state.grantCount >= grant.earlierCount, !isComplete || isTrue(grant, state),
                var next = alone(process, old, as: grant.token, state)
            else { return nil }
            next.grantCount += 1
            return next
        case .maybeUpgraded(let process, let token): return alone(process, token, as: 0, state)
        case .downgrade(let process, let token):
            guard let index = index(of: process, token, state),
                state.holders[index].mode == .exclusive
            else { return nil }
            var state = state
            state.holders[index].mode = .shared
            return state
        case .busy(let mode, let holder, let findsWaiter, let process):
            guard !state.over.contains(process), !state.holders.isEmpty,
                mayBeClosed || findsWaiter || isLimitUnknown(mode) || !admits(mode, state),
                holder == nil || state.holders.contains(where: { $0.process == holder })
            else { return nil }
            return state
        case .closed(let process):
            guard !state.over.contains(process), state.holders.isEmpty,
                !isComplete || mayBeKept || !state.over.isEmpty
            else { return nil }
            return state
        case .letGo(let process, let token): return letGo(process, token, state)
        case .handOver(let process, let token, let heir):
            guard state.heir == nil, var next = letGo(process, token, state) else { return nil }
            next.heir = heir
            return next
        case .announce(let process, let token, let value):
            guard let index = index(of: process, token, state) else { return nil }
            var state = state
            state.holders[index].value = value
            return state
        case .notHeld(let process, let token):
            return index(of: process, token, state) == nil ? state : nil
        case .end(let process, let isRequired): return end(process, isRequired, state)
        }
    }

    private func letGo(_ process: UInt64, _ token: UInt64, _ state: State) -> State? {
        guard let index = index(of: process, token, state) else { return nil }
        var state = state
        let gone = state.holders.remove(at: index)
        note(.released, gone, &state)
        return state
    }

    private func alone(
        _ process: UInt64, _ old: UInt64, as token: UInt64, _ state: State
    ) -> State? {
        guard let index = index(of: process, old, state), state.holders.count == 1,
            state.holders[index].mode == .shared
        else { return nil }
        var state = state
        state.holders[index].mode = .exclusive
        state.holders[index].token = token
        return state
    }

    private func grant(_ grant: Grant, to process: UInt64, _ state: State) -> State? {
        guard state.grantCount >= grant.earlierCount, admits(grant.mode, state),
            !state.over.contains(process),
            state.heir == nil || state.heir == process,
            !state.holders.contains(where: { $0.process == process }),
            grant.place == nil || !state.holders.contains(where: { $0.place == grant.place }),
            !isComplete || isTrue(grant, state)
        else { return nil }
        let holder = Holder(
            process: process, token: grant.token, mode: grant.mode, value: grant.value,
            place: grant.place)
        var next = holding(holder, state)
        next.grantCount += 1
        next.heir = nil
        return next
    }

    private func admits(_ mode: LockMode, _ state: State) -> Bool {
        if let count = mode.permitCount {
            return state.holders.reduce(count) { $0 + ($1.mode.permitCount ?? 0) } <= limit ?? .max
        }
        return state.holders.isEmpty
            || (mode == .shared && state.holders.allSatisfy { $0.mode == .shared })
    }

    private func isLimitUnknown(_ mode: LockMode) -> Bool {
        mode.permitCount != nil && limit == nil
    }

    private func holding(_ holder: Holder, _ state: State) -> State {
        var state = state
        state.holders.append(holder)
        // Grants of one version come in any order.
        state.holders.sort { ($0.token, $0.process) < ($1.token, $1.process) }
        return state
    }

    /// Whether the end that the grant speaks of is the last one there was. An object that nobody
    /// held or awaited is forgotten, and only so many losses are remembered, so that there may be no
    /// word of it.
    private func isTrue(_ grant: Grant, _ state: State) -> Bool {
        // What was told last may be lost, and then an earlier end is the last one.
        if wasGivenUp { return true }
        switch (grant.after, state.lastEnd) {
        case (.none, _): return true
        case (.released, .released): break
        case (let end, .session(let process)) where end != .released:
            guard lives[process]?.mayShow(as: end) ?? true else { return false }
        default: return false
        }
        return grant.previousValue.map { $0 == state.lastValue } ?? true
    }

    private func index(of process: UInt64, _ token: UInt64, _ state: State) -> Int? {
        guard !state.over.contains(process) else { return nil }
        return state.holders.firstIndex { $0.process == process && $0.token == token }
    }

    private func end(_ process: UInt64, _ isRequired: Bool, _ state: State) -> State? {
        let index = state.holders.firstIndex { $0.process == process }
        // An end of nothing, which need not have happened, leads nowhere.
        guard index != nil || isRequired else { return nil }
        var state = state
        state.over.insert(process)
        if state.heir == process { state.heir = nil }
        if let index { note(.session(process), state.holders.remove(at: index), &state) }
        return state
    }

    private func note(_ end: End, _ gone: Holder, _ state: inout State) {
        guard isComplete else { return }
        state.lastEnd = end
        state.lastValue = gone.value
    }
}
