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
    ///   - wait: How long to stand by at most; `nil`: for ever.
    public func withLeadership<Result: Sendable>(
        of slot: String, value: [UInt8] = [], priority: Int32 = 0, wait: Duration? = nil,
        body: @Sendable (Term) async throws -> Result
    ) async throws -> Result {
        try Self.check(value: value)
        let tag = TaskPath.tag(forBody: true, in: session.id)
        let campaign = Operation.campaign(
            slot: try Self.name(slot), value: value, priority: priority, task: tag)
        let answer = await session.answer(to: campaign, deadline: Self.deadline(after: wait))
        guard case .reply(.elected(let elected)) = answer else {
            throw ConclaveError.unexpected(answer)
        }
        let holding = Holding(
            self, giveUp: .resign(slot: elected.slot, token: elected.token), taskPath: path(of: tag)
        )
        try await giveUpIfCancelled(holding)
        return try await withoutActuallyEscaping(body) { body in
            try await run(while: holding) { try await body(Term(elected, holding)) }
        }
    }

    public func withLeadership<Result: Sendable>(
        of slot: String, value: String, priority: Int32 = 0, wait: Duration? = nil,
        body: @Sendable (Term) async throws -> Result
    ) async throws -> Result {
        try await withLeadership(
            of: slot, value: Array(value.utf8), priority: priority, wait: wait, body: body)
    }

    /// Who leads `slot`: first the present state, then every change, also "nobody". After a
    /// reconnection the state found then comes again.
    public func leader(of slot: String) -> LeaderChanges {
        LeaderChanges(conclave: self, slot: slot)
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

    public func makeAsyncIterator() -> Iterator {
        Iterator(conclave: conclave, slot: slot)
    }

    public struct Iterator: AsyncIteratorProtocol {
        private let conclave: Conclave
        private let slot: String
        private var reports: ClientSession.ReportStream.Iterator?

        init(conclave: Conclave, slot: String) {
            self.conclave = conclave
            self.slot = slot
        }

        /// - Throws: `sessionEnded` if the session is lost, `invalid` if the slot has no proper
        ///   name.
        public mutating func next() async throws -> LeaderChange? {
            if reports == nil {
                let query = ClientCore.Query.observeLeader(slot: try Conclave.name(slot))
                reports = conclave.session.stream(query, isEndless: true).makeAsyncIterator()
            }
            while let report = try await reports?.next(isolation: #isolation) {
                if case .leader(let state) = report { return LeaderChange(state) }
            }
            return nil
        }
    }
}
