import ConclaveBase
import ConclaveWire

/// What happened to objects, all of it, and what was kept of that at every version.
struct PastPictures {
    private var pictures: [(version: Version, past: SpecifiedPast)] = []
    private var all: [SpecifiedPast.Key: [HistoryEntry]] = [:]
    private var branches = Branches<[SpecifiedPast.Key: [HistoryEntry]]>()
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
        all = branches.leave(all, at: version, backTo: last)
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
        if let difference = untrue(report, to: query) { return difference }
        let past = pictures.last { $0.version <= report.version }?.past ?? SpecifiedPast()
        let floor = floor(of: query, in: past)
        guard (report.floor, report.floorTime) == floor else {
            return "it is kept from \(floor) on"
        }
        var entries = keys(of: query).flatMap { past.objects[$0]?.entries ?? [] }
            .filter { !query.moment.isBefore($0) }.sorted { $0.ordinal > $1.ordinal }
        if let before = query.before { entries.removeAll { $0.ordinal >= before } }
        let limit = min(max(1, Int(query.limit)), ClientLimits.listedHistory)
        guard report.entries == Array(entries.prefix(limit)),
            (report.next != nil) == (entries.count > limit)
        else { return "this happened: \(entries)" }
        return nil
    }

    /// What the report says that is not so, or leaves out although its own floor promises it. Knows
    /// nothing of what is kept, and why: only what has happened.
    private func untrue(_ report: HistoryReport, to query: HistoryQuery) -> String? {
        guard query.moment.isKept(from: report.floor, report.floorTime) else {
            return "the moment lies before its floor"
        }
        let told = Set(report.entries.map(\.ordinal))
        for key in keys(of: query) {
            let meant = (all[key] ?? []).filter {
                $0.version <= report.version && !query.moment.isBefore($0)
            }
            let missing = meant.first { entry in
                report.floor < entry.version && entry.ordinal < query.before ?? .max
                    && report.next ?? 0 <= entry.ordinal && !told.contains(entry.ordinal)
            }
            if let missing { return "\(key.kind) at version \(missing.version) is missing" }
            let state = report.states.first { $0.kind == key.kind }
            let shown = Self.shown(state?.holdings ?? [], of: key.kind)
            let held = Self.shown(holdings(after: meant), of: key.kind)
            guard shown == held else { return "then there was \(held)" }
        }
        return nil
    }

    /// Whether everything was kept, at each version from `version` on, that happened after the moment
    /// which the query is about.
    func keeps(_ query: HistoryQuery, since version: Version) -> Bool {
        // Who refused may have been of a history that was given up, and knew no better.
        guard givenUp.isEmpty, let first = pictures.lastIndex(where: { $0.version <= version })
        else { return false }
        return pictures[first...].allSatisfy { picture in
            let floor = floor(of: query, in: picture.past)
            return query.moment.isKept(from: floor.0, floor.1)
        }
    }

    private func keys(of query: HistoryQuery) -> [SpecifiedPast.Key] {
        HistoryKind.allCases.filter { query.kind == nil || query.kind == $0 }
            .map { SpecifiedPast.Key(kind: $0, name: query.name) }
    }

    /// From where on everything is kept that may have happened to what is asked for.
    private func floor(
        of query: HistoryQuery, in past: SpecifiedPast
    ) -> (Version, Timestamp) {
        let floors = keys(of: query).map { key in
            past.objects[key].map { ($0.floor, $0.floorTime) } ?? (past.floor, past.floorTime)
        }
        return floors.max { $0.0 < $1.0 }!
    }

    /// Who held it when `events` had happened, and nothing else.
    private func holdings(after events: [HistoryEntry]) -> [HistoryHolding] {
        var held: [HistoryHolding] = []
        for entry in events {
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

    fileprivate func isKept(from floor: Version, _ floorTime: Timestamp) -> Bool {
        switch self {
        case .now: true
        case .version(let asked): floor <= asked
        case .time(let asked): floorTime <= asked
        }
    }
}
