import ConclaveBase
import ConclaveCoordination
import ConclaveWire

/// Watchers of keys: first the present state, then every change in order.
extension Service {
    /// What looking at one version costs, told or not, as if it were bytes.
    private static let byteCountOfVersion = 64

    mutating func begin(_ watch: KeyWatch, _ id: KeyWatchers.ID, machine: Coordinator) {
        let place: KeyWatchers.Place
        if let from = watch.from, from <= machine.version {
            let isSkipping = settings.plant == .resumedWatchSkips
            place = .changes(KeyCursor(after: isSkipping ? machine.version : from))
        } else {
            // What is later than everything that was acknowledged is of another history.
            place = .state(machine.version, after: nil, isResync: watch.from != nil)
        }
        keyWatchers.add(id, watch.selector, at: place, uid: uid(of: id.connection))
    }

    mutating func tellThoseBehind(
        _ left: inout Int, machine: Coordinator, effects: inout [ServiceEffect]
    ) {
        keyWatchers.findWatchers(&left)
        var count = keyWatchers.line.count
        while left > 0, let (id, watcher) = keyWatchers.nextToTell(connections, of: &count) {
            left -= tell(watcher, id, machine: machine, effects: &effects)
        }
    }

    /// One piece of news; returns what it costs, in bytes: also that nothing was found.
    private mutating func tell(
        _ watcher: KeyWatchers.Table.Follower, _ id: KeyWatchers.ID, machine: Coordinator,
        effects: inout [ServiceEffect]
    ) -> Int {
        let (news, place) = news(for: watcher, machine: machine)
        let isBehind = place != .changes(KeyCursor(after: machine.version))
        var isWorthAWord = true
        if case .changes(let changes, _) = news, changes.isEmpty, watcher.isAnswered {
            isWorthAWord = false
        }
        keyWatchers.moved(id, to: place, isBehind: isBehind)
        let cost = Self.cost(from: watcher.place, to: place, isBehind: isBehind)
        guard isWorthAWord else { return cost }
        var writer = ByteWriter()
        news.encode(into: &writer)
        send(
            .watchKeys, watcher.isAnswered ? .event : .reply, number: id.number,
            to: id.connection, effects: &effects
        ) { $0.raw(writer.bytes) }
        return max(cost, writer.bytes.count)
    }

    /// What it took to look for a piece. One that did not come to the end has looked at as much as it
    /// may.
    private static func cost(
        from old: KeyWatchers.Place, to new: KeyWatchers.Place, isBehind: Bool
    ) -> Int {
        guard !isBehind else { return ClientLimits.keyPage }
        guard case .changes(let begin) = old, case .changes(let end) = new else {
            return byteCountOfVersion
        }
        let versionCount = end.version.number &- begin.version.number &+ 1
        return min(ClientLimits.keyPage, Int(min(versionCount, 4_096)) * byteCountOfVersion)
    }

    private var budgetOfPiece: KeyBudget {
        KeyBudget(count: settings.keysPerPiece, byteCount: ClientLimits.keyPage)
    }

    private func news(
        for watcher: KeyWatchers.Table.Follower, machine: Coordinator
    ) -> (KeyNews, KeyWatchers.Place) {
        switch watcher.place {
        case .state(let version, let after, let isResync) where machine.keyFloor <= version:
            return state(
                of: watcher.subject, at: version, after: after, isResync: isResync,
                machine: machine)
        case .changes(let cursor) where cursor.isKept(from: machine.keyFloor):
            let (changes, reached) = machine.keyChanges(
                after: cursor, budgetOfPiece, where: watcher.subject.matches)
            return (.changes(changes, upTo: reached.wholeVersion), .changes(reached))
        case .state(_, _, let isResync):
            // The history is gone, and of the state nothing counts yet.
            return state(
                of: watcher.subject, at: machine.version, after: nil, isResync: isResync,
                machine: machine)
        case .changes:
            // What was missed shows in the state only.
            return state(
                of: watcher.subject, at: machine.version, after: nil, isResync: true,
                machine: machine)
        }
    }

    private func state(
        of selector: KeySelector, at version: Version, after: ObjectName?, isResync: Bool,
        machine: Coordinator
    ) -> (KeyNews, KeyWatchers.Place) {
        var part = KeyStatePart(
            version: version, isFirst: after == nil, isLast: true, isResync: isResync,
            entries: [])
        switch selector {
        case .key(let key):
            part.entries = machine.key(key, at: version).map { [$0] } ?? []
        case .prefix(let prefix):
            let page = machine.keys(
                prefix: prefix, after: after, at: version, budgetOfPiece)
            part.entries = page.entries
            guard let next = page.next else { break }
            part.isLast = false
            return (.state(part), .state(version, after: next, isResync: isResync))
        }
        return (.state(part), .changes(KeyCursor(after: version)))
    }
}

extension KeyCursor {
    /// Whether every change after it is kept in a history that begins at `floor`.
    fileprivate func isKept(from floor: Version) -> Bool {
        name == nil ? floor <= version : floor < version
    }
}
