import ConclaveBase
import ConclaveWire

/// What happened to objects, all of it, and what was kept of that at every version.
struct PastPictures {
    private var pictures: [(version: Version, past: SpecifiedPast)] = []
    private var all: [SpecifiedPast.Key: [HistoryEntry]] = [:]
    /// Versions of histories that were given up: an answer that is still on its way is of one.
    private var givenUp: [(after: Version, before: Version)] = []

    mutating func note(
        _ happened: [(key: SpecifiedPast.Key, entry: HistoryEntry)], _ past: SpecifiedPast,
        at version: Version
    ) {
        guard !happened.isEmpty || pictures.last?.past.floor != past.floor else { return }
        for (key, entry) in happened { all[key, default: []].append(entry) }
        pictures.append((version, past))
    }

    /// What happened after `last` did not.
    mutating func reset(to past: SpecifiedPast, upTo last: Version, at version: Version) {
        for key in all.keys { all[key]!.removeAll { last < $0.version } }
        givenUp.append((last, version))
        pictures.append((version, past))
    }

    /// What `report` should be instead; `nil`: it is right.
    func difference(of report: HistoryReport, to query: HistoryQuery) -> String? {
        let isGivenUp = givenUp.contains {
            $0.after < report.version && report.version < $0.before
        }
        if isGivenUp { return nil }
        let past = pictures.last { $0.version <= report.version }?.past ?? SpecifiedPast()
        let keys = keys(of: query, in: past, upTo: report.version)
        let floor = floor(of: keys, in: past)
        guard (report.floor, report.floorTime) == floor else {
            return "it is kept from \(floor) on"
        }
        let states = keys.map { key in
            Self.shown(
                holdings(key) { entry in
                    entry.version <= report.version && !query.moment.isBefore(entry)
                }, of: key.kind)
        }
        guard report.states.map({ Self.shown($0.holdings, of: $0.kind) }) == states else {
            return "then there was \(states)"
        }
        var entries = keys.flatMap { past.objects[$0]?.entries ?? [] }
            .filter { !query.moment.isBefore($0) }.sorted { $0.ordinal > $1.ordinal }
        if let before = query.before { entries.removeAll { $0.ordinal >= before } }
        let limit = min(max(1, Int(query.limit)), ClientLimits.listedHistory)
        guard report.entries == Array(entries.prefix(limit)),
            (report.next != nil) == (entries.count > limit)
        else { return "this happened: \(entries)" }
        return nil
    }

    /// Whether everything was kept, at each version from `version` on, that happened after the moment
    /// which the query is about.
    func keeps(_ query: HistoryQuery, since version: Version) -> Bool {
        // Who refused may have been of a history that was given up, and knew no better.
        guard givenUp.isEmpty, let first = pictures.lastIndex(where: { $0.version <= version })
        else { return false }
        return pictures[first...].allSatisfy { picture in
            let keys = keys(of: query, in: picture.past, upTo: picture.version)
            let floor = floor(of: keys, in: picture.past)
            return switch query.moment {
            case .now: true
            case .version(let asked): floor.0 <= asked
            case .time(let asked): floor.1 <= asked
            }
        }
    }

    private func keys(
        of query: HistoryQuery, in past: SpecifiedPast, upTo version: Version
    ) -> [SpecifiedPast.Key] {
        HistoryKind.allCases.filter { query.kind == nil || query.kind == $0 }
            .map { SpecifiedPast.Key(kind: $0, name: query.name) }
            .filter { key in
                past.objects[key] != nil || !holdings(key) { $0.version <= version }.isEmpty
            }
    }

    private func floor(
        of keys: [SpecifiedPast.Key], in past: SpecifiedPast
    ) -> (Version, Timestamp) {
        let floors = keys.map { key in
            past.objects[key].map { ($0.floor, $0.floorTime) } ?? (past.floor, past.floorTime)
        }
        return floors.max { $0.0 < $1.0 } ?? (past.floor, past.floorTime)
    }

    /// Who held it when those things had happened that `isMeant`.
    private func holdings(
        _ key: SpecifiedPast.Key, where isMeant: (HistoryEntry) -> Bool
    ) -> [HistoryHolding] {
        var held: [HistoryHolding] = []
        for entry in all[key] ?? [] where isMeant(entry) {
            switch entry.event {
            case .granted(let holding): held.append(holding)
            case .ended(let holding, _): held.removeAll { $0.isSame(as: holding) }
            case .upgraded(let holding, _, _), .downgraded(let holding):
                held.removeAll { $0.isSame(as: holding) }
                held.append(holding)
            case .tripped, .broken, .limited, .closed, .opened: break
            }
        }
        return held
    }

    private struct Shown: Equatable {
        var kind: HistoryKind
        /// In an order of their own.
        var holdings: [String]
    }

    /// Without the process: a session may have gone to another one meanwhile.
    private static func shown(_ holdings: [HistoryHolding], of kind: HistoryKind) -> Shown {
        let lines = holdings.map { holding in
            let session = holding.holder.process.map { "\($0.session)" } ?? holding.holder.label
            return "\(session) \(holding.token) \(holding.since) \(holding.mode) \(holding.place)"
        }
        return Shown(kind: kind, holdings: lines.sorted())
    }
}

extension HistoryHolding {
    /// Of the same session, or of nobody's.
    fileprivate func isSame(as other: HistoryHolding) -> Bool {
        holder.process?.session == other.holder.process?.session
    }
}

extension KeyMoment {
    fileprivate func isBefore(_ entry: HistoryEntry) -> Bool {
        switch self {
        case .now: false
        case .version(let asked): entry.version > asked
        case .time(let asked): entry.time > asked
        }
    }
}
