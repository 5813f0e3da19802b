import ConclaveBase
package import ConclaveWire

/// What happens to locks, leader slots, barriers and leases is kept for a while.
extension Coordinator {
    mutating func note(_ event: ObjectEvent, of kind: HistoryKind, _ name: ObjectName) {
        chronicle.note(
            event, of: Chronicle.Key(kind: kind, name: name), in: view.epoch, at: now, quotas)
    }

    mutating func noteGranted(lock claim: Int) {
        note(.granted(holding(of: claim, in: locks)), of: .lock, locks.name(of: claim))
    }

    mutating func noteElected(_ claim: Int) {
        note(.granted(holding(of: claim, in: slots)), of: .leaderSlot, slots.name(of: claim))
    }

    mutating func noteEnded(lock claim: Int, _ end: HoldingEnd) {
        if plant == .historySkipsLoss, end.previousEnd.isUnclean { return }
        note(.ended(holding(of: claim, in: locks), end), of: .lock, locks.name(of: claim))
    }

    mutating func noteLimit(
        of name: ObjectName, from before: UInt32, to limit: UInt32, by session: Int
    ) {
        guard plant != .historySkipsLimits else { return }
        note(.limited(from: before, to: limit, by: historyHolder(session)), of: .lock, name)
    }

    mutating func noteEnded(slot claim: Int, _ end: HoldingEnd) {
        note(.ended(holding(of: claim, in: slots), end), of: .leaderSlot, slots.name(of: claim))
    }

    func historyHolder(_ session: Int) -> HistoryHolder {
        // Of a whole session only that much is copied: this is called at every grant.
        let id = sessions[session].id
        let process = HistoryHolder.Process(
            session: id, host: sessions[session].process.host, pid: sessions[session].process.pid)
        return HistoryHolder(
            process: process, uid: sessions[session].process.uid, label: sessions[session].label)
    }

    func holding(of claim: Int, in table: ClaimTable) -> HistoryHolding {
        HistoryHolding(
            holder: historyHolder(table.claims[claim].request.session),
            token: table.claims[claim].token, since: table.claims[claim].since,
            mode: table.numbersPlaces ? .exclusive : table.claims[claim].mode,
            place: table.claims[claim].place)
    }

    // MARK: - Reading

    /// How much of what happened is kept, and how much has happened since it is recorded.
    package var historyCount: Int { chronicle.count }
    package var happenedCount: UInt64 { chronicle.nextOrdinal }

    /// What happened to the objects of a name, and who held them at a moment.
    package func history(_ query: HistoryQuery) throws(HistoryFault) -> HistoryReport {
        let keys = HistoryKind.allCases.filter { query.kind ?? $0 == $0 }
            .map { Chronicle.Key(kind: $0, name: query.name) }
        let known = keys.filter { chronicle.index(of: $0) != nil || !holdings($0).isEmpty }
        // Also of what nothing is known: that may be because it is forgotten.
        let floor = keys.map { chronicle.floor(of: $0) }.max { $0.version < $1.version }!
        try check(query.moment, floor: floor)
        var report = HistoryReport(
            version: version, floor: floor.version, floorTime: floor.time, states: [], entries: [])
        var entries: [HistoryEntry] = []
        for key in known {
            let all = chronicle.entries(of: key)
            let meant = all.prefix { !query.moment.isBefore($0) }
            let later = plant == .historyHoldersOfNow ? [] : all[meant.endIndex...]
            report.states.append(state(of: key, before: later))
            entries += meant
        }
        entries.sort { $0.ordinal > $1.ordinal }
        if let before = query.before { entries.removeAll { before <= $0.ordinal } }
        report.fill(with: entries, limit: Int(query.limit))
        return report
    }

    private func check(_ moment: KeyMoment, floor: Moment) throws(HistoryFault) {
        let isPast =
            switch moment {
            case .now: true
            case .version(let asked): asked <= version
            case .time(let asked): asked <= time
            }
        guard isPast else { throw .notReached(version, time) }
        let isKept =
            switch moment {
            case .now: true
            case .version(let asked): floor.version <= asked
            case .time(let asked): floor.time <= asked
            }
        guard isKept else { throw .gone(floor: floor.version, floor.time) }
    }

    /// Who held it before `later` happened: what it is now, gone back from.
    private func state(
        of key: Chronicle.Key, before later: ArraySlice<HistoryEntry>
    ) -> HistoryState {
        var held: [SessionID?: HistoryHolding] = [:]
        for holding in holdings(key) { held[holding.holder.process?.session] = holding }
        for entry in later.reversed() {
            switch entry.event {
            case .granted(let holding): held[holding.holder.process?.session] = nil
            case .ended(let holding, _): held[holding.holder.process?.session] = holding
            case .upgraded(var holding, let token, let since):
                (holding.mode, holding.token, holding.since) = (.shared, token, since)
                held[holding.holder.process?.session] = holding
            case .downgraded(var holding):
                holding.mode = .exclusive
                held[holding.holder.process?.session] = holding
            case .tripped, .broken, .limited, .closed, .opened: break
            }
        }
        let sorted = held.values.sorted { $0.isTold(before: $1) }
        return HistoryState(
            kind: key.kind, holdings: Array(sorted.prefix(ClientLimits.listedHolders)),
            holderCount: UInt32(clamping: sorted.count))
    }

    /// What is held now.
    private func holdings(_ key: Chronicle.Key) -> [HistoryHolding] {
        switch key.kind {
        case .lock: holdings(of: key.name, in: locks)
        case .leaderSlot: holdings(of: key.name, in: slots)
        case .barrier: []
        case .lease: leases.index(of: key.name).map { [leases.rows[$0].holding] } ?? []
        }
    }

    private func holdings(of name: ObjectName, in table: ClaimTable) -> [HistoryHolding] {
        guard let object = table.index(of: name) else { return [] }
        return table.holders(of: object).map { holding(of: $0, in: table) }
    }
}

extension ClaimTable {
    func name(of claim: Int) -> ObjectName { objects[claims[claim].object].name }
}

extension Lease {
    var holding: HistoryHolding {
        HistoryHolding(
            holder: HistoryHolder(process: nil, uid: uid, label: holder), token: token,
            since: since)
    }
}

extension HistoryHolding {
    fileprivate func isTold(before other: HistoryHolding) -> Bool {
        if token != other.token { return token < other.token }
        if place != other.place { return place < other.place }
        return holder.process?.session.number ?? 0 < other.holder.process?.session.number ?? 0
    }
}

extension HistoryReport {
    /// The first of `found`, as many as there is room for.
    fileprivate mutating func fill(with found: [HistoryEntry], limit: Int) {
        let limit = min(max(1, limit), ClientLimits.listedHistory)
        var writer = ByteWriter()
        for entry in found {
            guard entries.count < limit, writer.bytes.count < ClientLimits.keyPage else {
                next = entries.last?.ordinal
                return
            }
            entries.append(entry)
            entry.encode(into: &writer)
        }
    }
}

extension KeyMoment {
    fileprivate func isBefore(_ entry: HistoryEntry) -> Bool {
        switch self {
        case .now: false
        case .version(let asked): asked < entry.version
        case .time(let asked): asked < entry.time
        }
    }
}

extension HoldingEnd {
    init(_ reason: SessionEnd) {
        self =
            switch reason {
            case .goodbye: .goodbye
            case .died: .died
            case .expired: .expired
            case .hostLost: .hostLost
            case .forced: .forced
            }
    }

    /// As whoever is granted it next is told.
    var previousEnd: PreviousEnd {
        switch self {
        case .released, .handedOver, .transferred: .released
        case .goodbye: .goodbye
        case .died: .died
        case .expired, .hostLost, .givenUp: .expired
        case .forced: .forced
        }
    }
}
