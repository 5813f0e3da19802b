import ConclaveBase
import ConclaveClientCore
import ConclaveWire

extension Conclave {
    /// Stands for leader of `slot`, runs `body` once elected, and resigns when it has ended.
    ///
    /// `body` runs in a task of its own, which is cancelled when the term is lost, as with
    /// `withLock`; the call then throws `lost`.
    ///
    /// - Parameters:
    ///   - value: What observers see beside the leader, such as its address; at most 4 KiB.
    ///   - priority: The standby with the highest one leads next; within one, who came first.
    ///   - places: How many lead at once, at most 128. The first who stands for a slot that nobody
    ///     leads or stands for fixes it, and others may name it or not; by default one.
    ///   - wait: How long to stand by at most; `nil`: for ever.
    ///   - onLoss: What the daemon does to this process before somebody else may lead.
    /// - Throws: `invalid` if the slot has another number of places.
    public func withLeadership<Result: Sendable>(
        of slot: String, value: [UInt8] = [], priority: Int32 = 0, places: UInt32? = nil,
        wait: Duration? = nil, onLoss: OnLoss = .notify,
        body: @Sendable (Term) async throws -> Result
    ) async throws -> Result {
        try Self.check(value: value)
        if let places, !(1...ClientLimits.leaderPlaces).contains(places) {
            throw ConclaveError(
                .invalid,
                "a leader slot has 1 to \(ClientLimits.leaderPlaces) places, not \(places)")
        }
        let tag = TaskPath.tag(forBody: true, in: session.id)
        let campaign = Operation.campaign(
            slot: try Self.name(slot), value: value, priority: priority, places: places,
            task: tag)
        let answer = await session.answer(
            to: campaign, onLoss: onLoss, deadline: Self.deadline(after: wait))
        guard case .reply(.elected(let elected)) = answer else {
            throw ConclaveError.unexpected(answer)
        }
        let holding = Holding(self, elected, taskPath: path(of: tag))
        try await giveUpIfCancelled(holding)
        return try await withoutActuallyEscaping(body) { body in
            try await run(while: holding) { try await body(Term(elected, holding)) }
        }
    }

    public func withLeadership<Result: Sendable>(
        of slot: String, value: String, priority: Int32 = 0, places: UInt32? = nil,
        wait: Duration? = nil, onLoss: OnLoss = .notify,
        body: @Sendable (Term) async throws -> Result
    ) async throws -> Result {
        try await withLeadership(
            of: slot, value: Array(value.utf8), priority: priority, places: places, wait: wait,
            onLoss: onLoss, body: body)
    }

    /// Who leads `slot`: first the present state, then every change, also "nobody". When changes may
    /// go untold for a while the state comes again with a `doubt`, and without one when that is over.
    ///
    /// - Parameters:
    ///   - local: The first state is that of the daemon's own copy at once, also outside the
    ///     majority; else it is not older than anything that was acknowledged before the call.
    ///   - wait: How long to wait for the first state at most; `nil`: for ever.
    public func leader(
        of slot: String, local: Bool = false, wait: Duration? = nil
    ) -> LeaderChanges {
        LeaderChanges(conclave: self, slot: slot, local: local, wait: wait)
    }

    static func check(value: [UInt8]) throws(ConclaveError) {
        guard value.count <= ClientLimits.leaderValue else {
            throw ConclaveError(
                .invalid,
                "the value has \(value.count) bytes, at most \(ClientLimits.leaderValue) are "
                    + "possible")
        }
    }
}

/// The leaders of a slot, one after the other. Each iteration asks anew.
public struct LeaderChanges: AsyncSequence, Sendable {
    let conclave: Conclave
    let slot: String
    let local: Bool
    let wait: Duration?

    public func makeAsyncIterator() -> Iterator { Iterator(self) }

    public struct Iterator: AsyncIteratorProtocol {
        private let changes: LeaderChanges
        private var reports: ReportStream.Iterator?
        private var last: LeaderState?
        private var doubt: String?

        init(_ changes: LeaderChanges) {
            self.changes = changes
        }

        /// - Throws: `sessionEnded` if the session is lost, `invalid` if the slot has no proper
        ///   name, `unavailable` if the first state did not come in time.
        public mutating func next() async throws -> LeaderChange? {
            if reports == nil {
                let slot = try Conclave.name(changes.slot)
                let query = ObjectQuery(.leader(slot), isLocal: changes.local)
                reports = changes.conclave.session.stream(
                    .objects(query), isEndless: true,
                    deadline: Conclave.deadline(after: changes.wait)
                ).makeAsyncIterator()
            }
            while let report = try await reports?.next(isolation: #isolation) {
                switch report {
                case .leader(let state): last = state
                case .doubtful(let reason): doubt = reason
                case .assured: doubt = nil
                default: continue
                }
                if let last { return LeaderChange(last, doubt: doubt) }
            }
            return nil
        }
    }
}
