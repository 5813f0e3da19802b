import ConclaveBase
import ConclaveClientCore
import ConclaveWire

/// Questions that change nothing. They need no session, and `status`, `members` and `views`, and what
/// is asked for as `local`, are answered also by a daemon outside the majority.
extension Conclave {
    /// How it stands with the group, as the local daemon sees it.
    ///
    /// - Parameter wait: How long to wait for the answer at most; `nil`: for ever.
    public func status(wait: Duration? = .seconds(10)) async throws -> GroupStatus {
        let answer = await ask(.status, wait)
        guard case .report(.status(let report)) = answer else {
            throw ConclaveError.unexpected(answer)
        }
        return GroupStatus(report)
    }

    /// The configured machines.
    public func members(wait: Duration? = .seconds(10)) async throws -> [MemberStatus] {
        let answer = await ask(.members, wait)
        guard case .report(.members(let reports)) = answer else {
            throw ConclaveError.unexpected(answer)
        }
        return reports.map(MemberStatus.init)
    }

    /// The locks and semaphores whose names begin with `prefix`, by name. Not older than anything
    /// that was acknowledged before the call, page for page.
    ///
    /// - Parameters:
    ///   - local: From the daemon's own copy at once, also outside the majority: it may be behind.
    ///   - wait: How long to wait for each page at most.
    public func locks(
        prefix: String = "", local: Bool = false, wait: Duration? = .seconds(10)
    ) async throws -> [ObjectStatus] {
        var objects: [ObjectStatus] = []
        var after: ObjectName?
        repeat {
            let query = ObjectQuery(.locks(prefix: prefix, after: after), isLocal: local)
            let answer = await ask(.objects(query), wait)
            guard case .report(.locks(let page)) = answer else {
                throw ConclaveError.unexpected(answer)
            }
            objects += page.objects.map(ObjectStatus.init)
            after = page.next
        } while after != nil
        return objects
    }

    /// All sessions, by id. Not older than anything that was acknowledged before the call, page for
    /// page.
    ///
    /// - Parameters:
    ///   - local: From the daemon's own copy at once, also outside the majority: it may be behind.
    ///   - wait: How long to wait for each page at most.
    public func sessions(
        local: Bool = false, wait: Duration? = .seconds(10)
    ) async throws -> [SessionStatus] {
        var sessions: [SessionStatus] = []
        var after: SessionID?
        repeat {
            let answer = await ask(
                .objects(ObjectQuery(.sessions(after: after), isLocal: local)), wait)
            guard case .report(.sessions(let page)) = answer else {
                throw ConclaveError.unexpected(answer)
            }
            sessions += page.sessions.map(SessionStatus.init)
            after = page.next
        } while after != nil
        return sessions
    }

    /// Who holds what is called `name`, who waits, and for whom. Not older than anything that was
    /// acknowledged before the call, unless it is asked for as `local`.
    public func why(
        _ name: String, local: Bool = false, wait: Duration? = .seconds(10)
    ) async throws -> Explanation {
        let query = ObjectQuery(.why(try Self.name(name)), isLocal: local)
        let answer = await ask(.objects(query), wait)
        guard case .report(.why(let report)) = answer else {
            throw ConclaveError.unexpected(answer)
        }
        return Explanation(report)
    }

    /// What happened to the objects called `name`: every grant, loss, term, trip and break that is
    /// kept. Not older than anything that was acknowledged before the call, unless it is asked for as
    /// `local`.
    ///
    /// The group keeps the last 1,024 events of one object and 65,536 of all, in 16 MiB; see
    /// `ObjectHistory.floor`. Renewals of leases, and what a leader announces, are no events.
    ///
    /// - Parameters:
    ///   - kind: Only of this kind; `nil`: of all.
    ///   - moment: Up to which events are told, and of which the holders are.
    ///   - limit: Of events, the newest; `nil`: all.
    ///   - wait: How long to wait for each page of 256 events at most.
    /// - Throws: `historyGone` if the moment lies before what is kept, `invalid` if it is still to
    ///   come, `unavailable` if the daemon is outside the majority all the time.
    public func history(
        of name: String, kind: ObjectStatus.Kind? = nil, at moment: ConfigurationMoment = .now,
        limit: Int? = nil, local: Bool = false, wait: Duration? = .seconds(10)
    ) async throws -> ObjectHistory {
        var query = HistoryQuery(
            try Self.name(name), kind: kind.flatMap(\.historyKind), at: moment.wire)
        var history: ObjectHistory?
        repeat {
            let left = limit.map { $0 - (history?.events.count ?? 0) } ?? .max
            query.limit = UInt32(clamping: max(1, left))
            let answer = await ask(.objects(ObjectQuery(.history(query), isLocal: local)), wait)
            guard case .report(.history(let report)) = answer else {
                throw ConclaveError.unexpected(answer)
            }
            let page = ObjectHistory(name, report)
            if history == nil { history = page } else { history?.add(page) }
            query.before = report.next
            if let limit, history?.events.count ?? 0 >= limit { break }
        } while query.before != nil
        return history!
    }

    /// The installed views that the daemon remembers, oldest first; with `follow`, every later one
    /// too, without end.
    ///
    /// - Parameter wait: For the first answer.
    public func views(follow: Bool = false, wait: Duration? = .seconds(10)) -> Views {
        Views(conclave: self, follow: follow, wait: wait)
    }

    private func ask(_ query: ClientCore.Query, _ wait: Duration?) async -> ClientCore.Answer {
        await session.answer(to: query, deadline: Self.deadline(after: wait))
    }
}

/// Installed views, one after the other. Each iteration asks anew.
public struct Views: AsyncSequence, Sendable {
    let conclave: Conclave
    let follow: Bool
    let wait: Duration?

    public func makeAsyncIterator() -> Iterator {
        let reports = conclave.session.stream(
            .views(follow: follow), isEndless: follow, deadline: Conclave.deadline(after: wait))
        return Iterator(conclave: conclave, reports: reports.makeAsyncIterator())
    }

    public struct Iterator: AsyncIteratorProtocol {
        private let conclave: Conclave
        private var reports: ReportStream.Iterator
        /// Came in one report, and not given out yet; the next is the last.
        private var waiting: [ViewChange] = []

        init(conclave: Conclave, reports: ReportStream.Iterator) {
            self.conclave = conclave
            self.reports = reports
        }

        public mutating func next() async throws -> ViewChange? {
            while waiting.isEmpty {
                guard let report = try await reports.next(isolation: #isolation) else { return nil }
                switch report {
                case .view(let view): waiting = [ViewChange(view)]
                case .views(let views): waiting = views.reversed().map(ViewChange.init)
                case .status, .members, .locks, .leases, .latches, .sessions, .history, .why,
                    .leader, .memberChange,
                    .recovered, .disturbed, .keys, .keyNews, .keyUpdate, .groupNews, .groupUpdates,
                    .doubtful,
                    .assured:
                    continue
                }
            }
            return waiting.popLast()
        }
    }
}
