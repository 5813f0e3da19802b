import ConclaveBase
import ConclaveClientCore
import ConclaveWire

/// Watches keys, without a session, and knows by that what they are.
final class WatchProgram: ClientProgram {
    private let selector: KeySelector
    private let from: Version?
    private var subscription: CallID?
    private var actAt: Moment
    private var isFinishing = false
    /// Everything up to here was told, and of the next version what comes up to `name`.
    private var upTo: Version?
    private var last: (version: Version, name: ObjectName)?
    private var known: [ObjectName: KeyEntry] = [:]
    /// What came before the first change is known.
    private var hasState = false
    private var doubt = FollowersDoubt()
    private var newestBefore = Version.zero

    /// - Parameter from: Begins with what changed after that version.
    init(_ selector: KeySelector, from: Version?, firstActAt moment: Moment) {
        self.selector = selector
        self.from = from
        actAt = moment
    }

    var isFollower: Bool { true }

    var nextAct: Moment { actAt }

    /// It was told a state, and everything since.
    var isSure: Bool { hasState && !doubt.isDoubtful }

    /// By name.
    var entries: [KeyEntry] { known.values.sorted { $0.name < $1.name } }

    var subject: KeySelector { selector }

    func finish(at now: Moment) {
        isFinishing = true
        actAt = now
    }

    func act(_ client: ClientProcess, at now: Moment, world: ClientWorld) {
        actAt = .never
        if isFinishing { return client.goodbye(world: world) }
        guard subscription == nil else { return }
        newestBefore = world.newestAcknowledged
        upTo = from
        subscription = client.query(
            .watchKeys(KeyWatch(selector, from: from)), within: nil)
    }

    func answered(
        _ answer: ClientCore.Answer, to call: CallID, _ client: ClientProcess, world: ClientWorld
    ) throws(Violation) {
        if case .report(.keyUpdate(.state(_, let version, _))) = answer, version < newestBefore {
            throw Violation(
                .nothingLost,
                "a watch begins at version \(version.counter), but \(newestBefore.counter) was "
                    + "acknowledged before it was asked for")
        }
        try take(answer, call, client, world: world)
    }

    func event(
        _ answer: ClientCore.Answer, of call: CallID, _ client: ClientProcess, world: ClientWorld
    ) throws(Violation) {
        guard call == subscription else {
            throw Violation(.exactlyOnce, "an event of call \(call.number): \(answer)")
        }
        try take(answer, call, client, world: world)
    }

    private func take(
        _ answer: ClientCore.Answer, _ call: CallID, _ client: ClientProcess, world: ClientWorld
    ) throws(Violation) {
        switch answer {
        case .report(.keyUpdate(let update)):
            world.trace { "client \(client.index) watches \(selector): \(update)" }
            try take(update, call, client, world: world)
        case .report(.doubtful): try doubt.begins(of: selector)
        case .report(.assured): try doubt.ends(of: selector)
        case .failed: break
        case .reply, .report:
            throw Violation(.exactlyOnce, "a watcher was told \(answer)")
        }
    }

    private func take(
        _ update: ClientCore.KeyUpdate, _ call: CallID, _ client: ClientProcess,
        world: ClientWorld
    ) throws(Violation) {
        switch update {
        case .state(let entries, let version, let isResync):
            let part = KeyStatePart(
                version: version, isFirst: true, isLast: true, isResync: isResync,
                entries: entries)
            record(.state(part), call, client, world: world)
            try checkResync(isResync, to: version, world: world)
            try world.order.check(entries, of: selector, at: version)
            known = [:]
            for entry in entries { known[entry.name] = entry }
            hasState = true
            last = nil
            upTo = version
        case .changes(let changes, let reached):
            record(.changes(changes, upTo: reached), call, client, world: world)
            guard let upTo else {
                throw Violation(.totalOrder, "\(selector): changes come before any state")
            }
            try world.order.check(
                changes, of: selector, after: last?.version ?? upTo, last?.name, upTo: reached)
            for change in changes { apply(change) }
            if let newest = changes.last { last = (newest.version, newest.name) }
            self.upTo = max(upTo, reached)
            if let last, last.version <= self.upTo! { self.last = nil }
        }
    }

    /// What was told before is dropped only if there is no other way.
    private func checkResync(
        _ isResync: Bool, to version: Version, world: ClientWorld
    ) throws(Violation) {
        guard let upTo else {
            guard isResync else { return }
            throw Violation(.progress, "\(selector) begins anew before it began")
        }
        guard isResync else {
            throw Violation(.totalOrder, "\(selector): another state, and nobody says why")
        }
        guard version >= upTo else {
            throw Violation(.totalOrder, "\(selector) was at \(upTo), then at \(version)")
        }
        guard world.order.keepsChanges(after: upTo) else { return }
        throw Violation(
            .progress, "\(selector) must begin anew, though every change after \(upTo) is kept")
    }

    private func apply(_ change: KeyChange) {
        switch change.kind {
        case .put(let stamp, let value):
            known[change.name] = KeyEntry(
                name: change.name, stamp: stamp, time: change.time, value: value)
        case .deleted, .sessionEnded: known[change.name] = nil
        }
    }

    private func record(
        _ news: KeyNews, _ call: CallID, _ client: ClientProcess, world: ClientWorld
    ) {
        let watch = KeyWatch(selector, from: from)
        world.record(.watched(HistoryWatch(watch: watch, news: news)), of: call, by: client)
    }
}
