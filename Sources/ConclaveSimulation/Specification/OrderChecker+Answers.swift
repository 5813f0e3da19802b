import ConclaveBase
import ConclaveCoordination
import ConclaveWire

/// What clients are told of the order, held against it.
extension OrderChecker {
    /// A client's socket brought `reply`: it must be the one that the order gave.
    func check(_ reply: Reply, to number: UInt64, of session: SessionID) throws(Violation) {
        let told = reply.withoutWords
        let known = replies[session]?[number]?.reply
        guard known != told else { return }
        throw Violation(
            known == nil ? .nothingLost : .exactlyOnce,
            "request \(number) of session \(session) was answered \(told), but the order holds "
                + (known.map { "\($0)" } ?? "no answer"))
    }

    func check(_ state: LeaderState) throws(Violation) {
        let key = ObjectKey(kind: .leaderSlot, name: state.slot)
        let told = state.leaders.map { leader in
            ObjectHistory.Holder(
                session: leader.session, token: leader.token.number, value: leader.value,
                place: leader.place)
        }
        guard state.version <= specification.version,
            let known = histories[key, default: ObjectHistory()].picture(at: state.version)
        else {
            throw Violation(.nothingLost, "an observer knows of version \(state.version.counter)")
        }
        let count = known.waiters.count
        let leaders = known.holders.sorted { $0.place < $1.place }
        guard leaders == told, count == Int(state.standbyCount),
            known.places ?? 1 == state.places
        else {
            throw Violation(
                .totalOrder,
                "at version \(state.version.counter) an observer was told \(state), but there "
                    + "were \(leaders) and \(count) waiting")
        }
    }

    func check(_ report: WhyReport) throws(Violation) {
        for object in report.objects where object.kind == .latch {
            try check(latch: object, at: report.version)
        }
        for object in report.objects where object.kind == .lock || object.kind == .leaderSlot {
            let key = ObjectKey(kind: object.kind, name: object.name)
            let told = ObjectHistory.Picture(
                holders: object.holders.map {
                    .init(
                        session: $0.session, token: $0.token, mode: $0.mode,
                        isUpgrading: $0.isUpgrading, value: object.value)
                }, waiters: object.waiters.map(\.session))
            let known = histories[key]?.picture(at: report.version)?.reported
            guard known != told else { continue }
            throw Violation(
                .totalOrder,
                "at version \(report.version.counter) \(object.name) was said to be \(told), "
                    + "but it was \(known.map { "\($0)" } ?? "nothing")")
        }
    }

    /// What was asked about keys, and answered.
    func check(_ report: KeyReport, to query: KeyQuery) throws(Violation) {
        try checkIsKnown(report.version, to: "a reader of keys")
        var known: [KeyEntry]
        switch query.selection {
        case .key(let key):
            known = keyPictures.entry(key, at: report.version).map { [$0] } ?? []
        case .prefix(let prefix, let after, _):
            known = keyPictures.entries(of: .prefix(prefix), at: report.version)
            if let after { known.removeAll { !(after < $0.name) } }
            if let next = report.next { known.removeAll { next < $0.name } }
        }
        if query.namesOnly { for index in known.indices { known[index].value = [] } }
        guard known != report.entries else { return }
        throw Violation(
            .totalOrder,
            "at version \(report.version.counter) \(query) was answered \(report.entries), but "
                + "there was \(known)")
    }

    /// What was asked about what happened, and answered.
    func check(_ report: HistoryReport, to query: HistoryQuery) throws(Violation) {
        try checkIsKnown(report.version, to: "a reader of history")
        guard let difference = pasts.difference(of: report, to: query) else { return }
        throw Violation(
            .nothingLost,
            "at version \(report.version.counter) \(query) was answered \(report), but "
                + difference)
    }

    /// It was said that the moment of `query`, asked at `version`, is forgotten.
    func checkIsGone(_ query: HistoryQuery, since version: Version) throws(Violation) {
        guard pasts.keeps(query, since: version) else { return }
        throw Violation(.nothingLost, "\(query) is said to be forgotten, and is kept")
    }

    func checkIsKnown(_ version: Version, to who: String) throws(Violation) {
        guard version > specification.version else { return }
        throw Violation(.nothingLost, "\(who) knows of version \(version.counter)")
    }

    /// The state that a watcher was told.
    func check(
        _ entries: [KeyEntry], of selector: KeySelector, at version: Version
    ) throws(Violation) {
        try checkIsKnown(version, to: "a watcher")
        let known = keyPictures.entries(of: selector, at: version)
        guard known != entries else { return }
        throw Violation(
            .totalOrder,
            "at version \(version.counter) a watcher was told \(entries), but there was \(known)")
    }

    /// The changes that a watcher was told, who knew everything up to `version` and of that up to
    /// `name`.
    func check(
        _ changes: [KeyChange], of selector: KeySelector, after version: Version,
        _ name: ObjectName?, upTo last: Version
    ) throws(Violation) {
        let end = max(last, changes.last?.version ?? last)
        try checkIsKnown(end, to: "a watcher")
        var known = keyPictures.changes(of: selector, after: version, name, upTo: end)
        if let newest = changes.last {
            known.removeAll { change in
                change.version > last && change.version == newest.version
                    && newest.name < change.name
            }
        }
        guard known != changes else { return }
        throw Violation(
            .totalOrder,
            "after version \(version.counter) a watcher was told \(changes) up to "
                + "\(last.counter), but there was \(known)")
    }

    /// Whether every change after `version` is kept.
    func keepsChanges(after version: Version) -> Bool { specification.keys.floor <= version }

    /// Whether everything that happened to the task group after `version` is kept.
    func keepsGroup(_ name: ObjectName, after version: Version) -> Bool {
        specification.groupFloor(name) <= version
    }

    func groupPicture(of name: ObjectName, at version: Version) -> GroupPictures.Picture? {
        groupPictures.picture(of: name, at: version)
    }

    func groupEntries(
        of name: ObjectName, after version: Version, upTo last: Version
    ) -> [GroupEntry] {
        groupPictures.entries(of: name, after: version, upTo: last)
    }

    /// What a watcher must know in the end.
    func presentEntries(of selector: KeySelector) -> [KeyEntry] {
        keyPictures.entries(of: selector, at: specification.version)
    }
}
