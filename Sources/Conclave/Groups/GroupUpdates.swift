import ConclaveBase
import ConclaveClientCore
import ConclaveWire

/// The views of a task group, and its messages if they were asked for, one after the other. It lasts
/// over restarts of the daemon: what happened meanwhile is told, or, when that is forgotten, a
/// `resync`. A member's ends after the view without it. Each iteration asks anew.
public struct GroupUpdates: AsyncSequence, Sendable {
    let conclave: Conclave
    let group: String
    var withMessages = false
    /// Whose updates they are; it stays a member as long as they are told.
    var membership: Membership?
    /// Of the first view; `nil`: the present one, or that in which the member joined.
    var start: Version?
    /// Of the first one.
    var wait: Duration?

    public func makeAsyncIterator() -> Iterator { Iterator(self) }

    public struct Iterator: AsyncIteratorProtocol {
        private let updates: GroupUpdates
        private var reports: ReportStream.Iterator?
        /// Came in one report, and not given out yet; the next is the last.
        private var waiting: [GroupUpdate] = []

        init(_ updates: GroupUpdates) {
            self.updates = updates
        }

        /// - Throws: `sessionEnded` if the session is lost, `invalid` if the group has no proper
        ///   name, `quotaExceeded` if the user follows too much on this host, `unavailable` if the
        ///   first view did not come in time.
        public mutating func next() async throws -> GroupUpdate? {
            if reports == nil {
                let follow = GroupFollow(
                    try Conclave.name(updates.group), withMessages: updates.withMessages,
                    member: updates.membership?.token, start: updates.start)
                reports = updates.conclave.session.stream(
                    .followGroup(follow), isEndless: true,
                    deadline: Conclave.deadline(after: updates.wait)
                ).makeAsyncIterator()
            }
            while waiting.isEmpty {
                guard let report = try await reports?.next(isolation: #isolation) else {
                    return nil
                }
                switch report {
                case .groupUpdates(let updates):
                    waiting = updates.reversed().compactMap { GroupUpdate($0) }
                case .doubtful(let reason): waiting = [GroupUpdate(.doubtful(reason: reason))]
                case .assured: waiting = [GroupUpdate(.assured)]
                default: continue
                }
            }
            return waiting.popLast()
        }
    }
}
