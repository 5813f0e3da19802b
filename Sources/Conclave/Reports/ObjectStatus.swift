public import ConclaveBase
package import ConclaveWire

/// A lock or semaphore, a leader slot, a barrier or a latch, who holds it and who waits.
public struct ObjectStatus: Hashable, Sendable {
    /// New kinds may be added.
    public struct Kind: Hashable, Sendable, CustomStringConvertible {
        public let description: String

        public static let lock = Kind(description: "lock")
        public static let leaderSlot = Kind(description: "leaderSlot")
        public static let barrier = Kind(description: "barrier")
        /// Of a history alone: a lease has a `LeaseStatus`.
        public static let lease = Kind(description: "lease")
        public static let latch = Kind(description: "latch")
    }

    public let kind: Kind
    public let name: String
    /// The first 500.
    public let holders: [Claim]
    /// The first 500 in the order of the queue; of a barrier, of the parties that have arrived.
    public let waiters: [Claim]
    /// With those that are not named.
    public let holderCount: Int
    public let waiterCount: Int
    /// Of a barrier; of a latch, its count; else zero.
    public let partyCount: Int
    /// Of a barrier; else zero.
    public let generation: UInt64
    /// What a leader has published; else empty.
    public let value: [UInt8]
    /// How many permits a semaphore gives out; `nil`: it is none.
    public let limit: UInt32?
    /// A holder was lost, and for so long from then on nobody is granted the lock; `nil`: it is open.
    public let closedFor: Duration?
    /// The first 64 parties that have not arrived at a barrier, by rank, and what is known of them
    /// from the generation before.
    public let missing: [BarrierReport.Absence]
    /// How often a latch must still be counted down; `nil`: it is none.
    public let remaining: Int?
    /// Whose members are a barrier's parties; `nil`: they are counted.
    public let group: Group?

    /// A task group that has members.
    public struct Group: Hashable, Sendable {
        public let name: String
        /// The number of its present view: see `GroupView.number`.
        public let view: UInt64
        public let memberCount: Int

        init(_ group: GroupSummary) {
            name = group.name.text
            view = group.view
            memberCount = Int(group.memberCount)
        }
    }

    package init(_ report: ObjectReport) {
        kind = Kind(report.kind)
        name = report.name.text
        holders = report.holders.map(Claim.init)
        waiters = report.waiters.map(Claim.init)
        holderCount = Int(report.holderCount)
        waiterCount = Int(report.waiterCount)
        partyCount = Int(report.parties)
        generation = report.generation
        value = report.value
        limit = report.limit
        closedFor = report.closedFor.map { Duration($0) }
        missing = report.missing.map(BarrierReport.Absence.init)
        remaining = report.remaining.map { Int($0) }
        group = report.group.map(Group.init)
    }

    /// `value` as text; what is not UTF-8 is replaced.
    public var text: String { String(decoding: value, as: UTF8.self) }
}

extension ObjectStatus.Kind {
    init(_ kind: ObjectKind) {
        self =
            switch kind {
            case .lock: .lock
            case .leaderSlot: .leaderSlot
            case .barrier: .barrier
            case .latch: .latch
            }
    }
}

/// A session that holds or awaits something.
public struct Claim: Hashable, Sendable {
    public let session: SessionID
    public let host: NodeID
    public let pid: UInt32
    public let uid: UInt32
    /// The systemd unit of the process, if it is in one; else empty.
    public let unit: String
    public let label: String
    /// `nil` while it waits.
    public let token: FencingToken?
    public let mode: Lock.Mode
    /// It holds the lock together with others, and waits to have it alone: see `Lock.upgrade`.
    public let isUpgrading: Bool
    /// It waits for several locks as one: see `Conclave.withLocks`.
    public let set: WaitingSet?
    /// With which it waits, or waited.
    public let priority: Int32
    public let since: Timestamp
    /// How long its session stays valid by the asked daemon's clock; `nil` if that is another
    /// daemon's session.
    public let remaining: Duration?

    package init(_ report: SessionReport) {
        session = report.session
        host = report.host
        pid = report.pid
        uid = report.uid
        unit = report.unit
        label = report.label
        token = report.token == 0 ? nil : FencingToken(report.token)
        mode = Lock.Mode(report.mode)
        isUpgrading = report.isUpgrading
        set = report.set.map(WaitingSet.init)
        priority = report.priority
        since = report.since
        remaining = report.remaining.map { Duration($0) }
    }
}

extension Claim {
    /// How far a request for several locks has come, as it stands at one of them.
    public struct WaitingSet: Hashable, Sendable {
        /// New ones may be added.
        public struct Standing: Hashable, Sendable, CustomStringConvertible {
            public let description: String

            /// It comes to this lock when it could have those whose names are before its own.
            public static let coming = Standing(description: "coming")
            /// It is in the queue of this lock.
            public static let queued = Standing(description: "queued")
            /// Nobody else is granted the lock: it is kept for the request.
            public static let reserved = Standing(description: "reserved")
        }

        public let standing: Standing
        /// How many locks it is.
        public let count: Int
        /// The one that it waits for now; `nil`: it has come to all, and one of them is closed.
        public let next: String?

        init(_ set: ConclaveWire.WaitingSet) {
            standing =
                switch set.standing {
                case .coming: .coming
                case .queued: .queued
                case .reserved: .reserved
                }
            count = Int(set.count)
            next = set.next?.text
        }
    }
}
