import ConclaveBase
import ConclaveWire

/// What happened to one lock, semaphore or leader slot, as actions of its model.
struct ClaimHistory {
    let kind: ObjectKind
    let name: ObjectName
    private let operations: [History.Operation]
    private let lives: [UInt64: History.Life]
    /// What was done last may have been undone once.
    private let wasGivenUp: Bool
    /// Somebody has asked for it to be closed when he is lost.
    private let mayBeClosed: Bool
    /// It may be kept for somebody who waits for other locks.
    private let mayBeKept: Bool
    private var actions: [TimedAction<ClaimModel.Action>] = []
    /// What each action comes from, for people.
    private var sources: [String] = []

    init(
        kind: ObjectKind, name: ObjectName, operations: [History.Operation],
        lives: [UInt64: History.Life], wasGivenUp: Bool
    ) {
        self.wasGivenUp = wasGivenUp
        self.kind = kind
        self.name = name
        self.operations = operations
        self.lives = lives
        mayBeClosed = operations.contains { operation in
            guard case .acquire(_, _, let lockDelay, _) = operation.what.action else {
                return false
            }
            return lockDelay > .zero
        }
        mayBeKept = operations.contains { operation in
            if case .acquire(_, _, _, isOfSet: true) = operation.what.action { true } else { false }
        }
    }

    // MARK: - Checking

    mutating func check(maximumSteps: Int) throws(Violation) -> ObjectVerdict {
        try checkTokens()
        collect()
        let model = ClaimModel(
            lives: lives, isComplete: isComplete, limit: limit, mayBeClosed: mayBeClosed,
            mayBeKept: mayBeKept, wasGivenUp: wasGivenUp)
        var search = LinearizabilitySearch(model, actions, maximumSteps: maximumSteps)
        switch search.run(from: ClaimModel.State()) {
        case .linearizable: return ObjectVerdict(isDecided: true, stepCount: search.stepCount)
        case .undecided: return ObjectVerdict(isDecided: false, stepCount: search.stepCount)
        case .violated(let index):
            throw Violation(
                promise(of: actions[index].action),
                "\(kind) \(name): no order of what happened explains that \(sources[index])")
        }
    }

    private func promise(of action: ClaimModel.Action) -> ContractPromise {
        switch action {
        case .grant, .upgrade: .mutualExclusion
        case .downgrade, .maybeUpgraded, .maybeGranted, .busy, .closed, .letGo, .handOver,
            .announce, .notHeld, .end:
            .exactlyOnce
        }
    }

    private struct Grant {
        var operation: History.Operation
        var token: FencingToken
        var isExclusive: Bool
        /// Of a slot's places: terms that begin together differ in them.
        var place: UInt32 = 0
    }

    private var grants: [Grant] {
        operations.compactMap { operation in
            switch (operation.answer, operation.what.action) {
            case (.granted(let token, _)?, .acquire(let mode, _, _, _)):
                Grant(operation: operation, token: token, isExclusive: mode == .exclusive)
            case (.granted(let token, _)?, .upgrade):
                Grant(operation: operation, token: token, isExclusive: true)
            case (.elected(let token, let place, _, _)?, _):
                Grant(operation: operation, token: token, isExclusive: true, place: place)
            default: nil
            }
        }
    }

    /// C6: no token is given twice but to those who share, and none after a larger one was known.
    private func checkTokens() throws(Violation) {
        let grants = grants.sorted { $0.token < $1.token }
        for (earlier, later) in zip(grants, grants.dropFirst()) where earlier.token == later.token {
            guard earlier.isExclusive || later.isExclusive, earlier.place == later.place
            else { continue }
            throw Violation(.fencing, "\(kind) \(name): token \(later.token) was granted twice")
        }
        // From the largest token down: whoever has a smaller one must not have asked after
        // somebody had a larger one.
        var earliest = UInt64.max
        var largest = FencingToken(0)
        for grant in grants.reversed() {
            guard grant.operation.invoked <= earliest else {
                throw Violation(
                    .fencing,
                    "\(kind) \(name): token \(grant.token) was asked for after \(largest) had "
                        + "been granted")
            }
            if grant.operation.completed < earliest {
                earliest = grant.operation.completed
                largest = grant.token
            }
        }
    }

    // MARK: - Actions

    /// What a semaphore's limit was all the time: whoever was not refused has named this one. `nil`: not
    /// known. It was changed, or forgotten with the last holder and named anew.
    private var limit: UInt32? {
        var named: Set<UInt32> = []
        for operation in operations {
            switch (operation.what.action, operation.answer) {
            case (.limit, _): return nil
            case (.acquire, .refused?): continue
            case (.acquire(.permits(_, let limit?), _, _, _), _): named.insert(limit)
            case (.campaign, .refused?): continue
            // A slot of which nobody says anything has one place.
            case (.campaign(_, let places), _): named.insert(places ?? 1)
            default: break
            }
        }
        return named.count == 1 ? named.first : nil
    }

    /// Whether each grant that was ever made is known.
    private var isComplete: Bool {
        operations.allSatisfy { operation in
            switch operation.what.action {
            case .acquire, .upgrade, .campaign: !operation.isOpen
            default: true
            }
        }
    }

    private mutating func collect() {
        let isComplete = isComplete
        let tokens = grants.map(\.token).sorted()
        let named = holdersNamed
        for operation in operations {
            guard let action = action(of: operation, tokens: tokens) else { continue }
            switch action {
            // It matters only to a try that found it, or to who is told of the value.
            case .maybeGranted(let process, _, _) where named?.contains(process) == false: continue
            case .announce where operation.isOpen && !isComplete: continue
            default: break
            }
            add(action, operation)
        }
        addEnds()
    }

    private mutating func add(_ action: ClaimModel.Action, _ operation: History.Operation) {
        let isOpen = operation.isOpen
        actions.append(
            TimedAction(
                action: action, invoked: operation.invoked,
                completed: isOpen ? .max : operation.completed, isRequired: !isOpen))
        sources.append(
            "process \(operation.process) asked \(operation.what.action) at \(operation.invoked)"
                + (operation.answer.map { " and was answered \($0) at \(operation.completed)" }
                    ?? ""))
    }

    /// Processes that tries were told of; `nil`: a try was told of one that nobody knows.
    private var holdersNamed: Set<UInt64>? {
        var named: Set<UInt64> = []
        for operation in operations {
            guard case .busy(let session)? = operation.answer,
                session != nil || !(mayBeClosed || mayBeKept)
            else { continue }
            guard let session,
                let process = lives.first(where: { $0.value.session == session })?.key
            else { return nil }
            named.insert(process)
        }
        return named
    }

    private func action(
        of operation: History.Operation, tokens: [FencingToken]
    ) -> ClaimModel.Action? {
        let process = operation.process
        switch (operation.what.action, operation.answer) {
        case (_, .cancelled?): return nil
        case (.release(let token), .refused(.notHeld)?), (.resign(let token), .refused(.notHeld)?),
            (.announce(let token, _), .refused(.notHeld)?),
            (.handOver(let token, _), .refused(.notHeld)?),
            (.downgrade(let token), .refused(.notHeld)?),
            (.upgrade(let token), .refused(.notHeld)?):
            return .notHeld(process: process, token: token.number)
        case (_, .refused?): return nil
        case (.acquire(let mode, _, _, _), .granted(let token, let end)?):
            return .grant(process: process, grant(mode, token, end, tokens: tokens))
        case (.upgrade(let old), .granted(let token, let end)?):
            return .upgrade(
                process: process, from: old.number, grant(.exclusive, token, end, tokens: tokens))
        case (.upgrade(let old), _): return .maybeUpgraded(process: process, token: old.number)
        case (.downgrade(let token), _):
            return .downgrade(process: process, token: token.number)
        case (.campaign(let value, _), .elected(let token, let place, let end, let previous)?):
            var grant = grant(.permits(1), token, end, tokens: tokens)
            grant.value = value
            grant.place = place
            grant.previousValue = previous
            return .grant(process: process, grant)
        case (.acquire, .busy(holder: nil)?) where mayBeClosed || mayBeKept:
            return .closed(process: process)
        case (.acquire(let mode, _, _, _), .busy(let session)?):
            let holder = lives.first { $0.value.session == session && session != nil }?.key
            return .busy(
                mode, holder: holder, findsWaiter: mayFindWaiter(operation), by: process)
        case (.acquire(let mode, _, _, _), _):
            return .maybeGranted(process: process, mode: mode, value: [])
        case (.campaign(let value, _), _):
            return .maybeGranted(process: process, mode: .permits(1), value: value)
        case (.release(let token), _), (.resign(let token), _):
            return .letGo(process: process, token: token.number)
        case (.handOver(let token, let standby), _):
            return .handOver(
                process: process, token: token.number, to: processWithKnownTerms(standby))
        case (.announce(let token, let value), _):
            return .announce(process: process, token: token.number, value: value)
        case (.arrive, _), (.limit, _), (.transact, _): return nil
        }
    }

    /// The process that has a session, if of each of its campaigns it is known how it ended: it leads
    /// next if it was handed the slot. `nil`: nobody can tell.
    private func processWithKnownTerms(_ session: SessionID) -> UInt64? {
        guard let process = lives.first(where: { $0.value.session == session })?.key else {
            return nil
        }
        let isKnown = operations.allSatisfy { operation in
            guard operation.process == process, case .campaign = operation.what.action else {
                return true
            }
            return !operation.isOpen
        }
        return isKnown ? process : nil
    }

    private func grant(
        _ mode: LockMode, _ token: FencingToken, _ end: PreviousEnd, tokens: [FencingToken]
    ) -> ClaimModel.Grant {
        let earlierCount = tokens.firstIndex(of: token) ?? 0
        return ClaimModel.Grant(
            mode: mode, token: token.number, value: [], earlierCount: earlierCount, after: end)
    }

    /// A try finds busy what it could have, but for somebody who waits: to have a shared lock alone,
    /// or for more permits.
    private func mayFindWaiter(_ busy: History.Operation) -> Bool {
        operations.contains { operation in
            switch operation.what.action {
            case .acquire(let mode, isTry: false, _, _) where mode != .shared: break
            case .upgrade: break
            default: return false
            }
            guard operation.process != busy.process else { return false }
            return operation.invoked <= busy.completed
                && (operation.isOpen || operation.completed >= busy.invoked)
        }
    }

    private mutating func addEnds() {
        let processes = Set(operations.map(\.process)).sorted()
        for process in processes {
            guard let life = lives[process], min(life.endsFrom, life.endedBy) < .max else {
                continue
            }
            let isRequired = life.endedBy < .max
            actions.append(
                TimedAction(
                    action: .end(process: process, isRequired: isRequired),
                    invoked: min(life.endsFrom, life.endedBy), completed: life.endedBy,
                    isRequired: isRequired))
            sources.append("the session of process \(process) had ended by \(life.endedBy)")
        }
    }
}

/// How the check of one object went, if nothing was found.
struct ObjectVerdict {
    var isDecided: Bool
    var stepCount: Int
}
