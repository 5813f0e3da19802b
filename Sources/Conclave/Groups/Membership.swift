public import ConclaveBase
import ConclaveClientCore
import ConclaveWire
import Synchronization

/// This session's place in a task group. It ends by `leave`, when nobody refers to it any more, when
/// the session ends, or when somebody puts it out.
///
/// Its elements are what members are told: first the view in which it joined, or the one that its
/// adopted state goes up to; then every view and message, all members the same in the same order, each
/// once. They end after the view without this member.
public final class Membership: AsyncSequence, Sendable {
    public typealias Element = GroupUpdate

    public let group: String
    /// Names this membership: `GroupView.rank(of:)` finds it.
    public let token: FencingToken
    /// Of the view in which it joined, and its rank there.
    public let firstViewNumber: UInt64
    public let firstRank: Int
    /// It joined to have the state that the programs of the group have in common.
    public let sharesState: Bool

    let holding: Holding
    let conclave: Conclave
    /// Where the adopted state ends.
    let start = Mutex<Version?>(nil)
    let provision: Mutex<StateProvision>

    init(
        _ joined: GroupJoined, sharesState: Bool, _ holding: Holding, _ conclave: Conclave
    ) {
        group = joined.name.text
        token = joined.token
        firstViewNumber = joined.number
        firstRank = Int(joined.rank)
        self.sharesState = sharesState
        self.holding = holding
        self.conclave = conclave
        provision = Mutex(StateProvision(own: joined.token))
    }

    deinit {
        holding.releaseLater()
    }

    /// Whether the session was valid just now, by this host's clock. That nobody has put this member
    /// out is told by its updates alone.
    public var validity: Validity { Validity(holding) }

    /// Who waits for what is done as a member, if it is done in the body of `withMembership`.
    public var taskPath: TaskPath { holding.taskPath }

    public func makeAsyncIterator() -> GroupUpdates.Iterator {
        GroupUpdates(
            conclave: conclave, group: group, withMessages: true, membership: self,
            start: start.withLock { $0 }
        ).makeAsyncIterator()
    }

    /// Its views alone, up to the one without this member.
    public var views: GroupUpdates {
        GroupUpdates(conclave: conclave, group: group, membership: self)
    }

    /// Sends `payload` to every member of the group, this one included.
    ///
    /// - Throws: As `Conclave.send(_:toGroup:)`.
    @discardableResult
    public func send(_ payload: [UInt8], wait: Duration? = nil) async throws -> GroupReceipt {
        try await conclave.send(payload, toGroup: group, wait: wait)
    }

    @discardableResult
    public func send(_ text: String, wait: Duration? = nil) async throws -> GroupReceipt {
        try await send(Array(text.utf8), wait: wait)
    }

    /// Returns when it has ended, or the session has.
    func ends() async throws {
        do {
            for try await _ in views {}
        } catch let error as ConclaveError where [.sessionEnded, .lost].contains(error.code) {
            return
        }
    }

    /// Leaves, and waits until the group says so.
    ///
    /// - Throws: `lost` if it was no member any more.
    public func leave() async throws {
        try await holding.release()
    }
}

/// A message is ordered: whoever belonged to the view is told it.
public struct GroupReceipt: Hashable, Sendable {
    /// At which it was ordered.
    public let version: Version
    /// Of the view in which it is.
    public let viewNumber: UInt64
    /// How many belonged to that.
    public let memberCount: Int
}
