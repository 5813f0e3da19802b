/// The queue as every member has it. It changes only by what all members are told in one order, so all
/// that have been welcomed agree on it.
struct SharedQueue {
    /// Which member has this copy.
    private let own: UInt64
    /// By rank.
    private var members: [UInt64] = []
    /// The members up to this token know all open items; 0: not known here yet.
    private var welcomedUpTo: UInt64 = 0
    /// What is to be done, by item.
    private(set) var open: [UInt64: String] = [:]
    /// What a newcomer heard of before it was welcomed: it may be said again to others.
    private var doneBefore: Set<UInt64> = []

    init(own: UInt64) {
        self.own = own
    }

    var isWelcomed: Bool { own <= welcomedUpTo }

    /// Names the present shares: another one when the workers are others.
    private(set) var shares = Shares(view: 0, welcomedUpTo: 0)

    struct Shares: Hashable, CustomStringConvertible {
        var view: UInt64
        var welcomedUpTo: UInt64

        var description: String { "\(view)/\(welcomedUpTo)" }
    }

    /// - Returns: What this member is to say: if it has rank 0, what newcomers do not know.
    mutating func install(view number: UInt64, members: [UInt64]) -> [QueueMessage] {
        self.members = members
        shares.view = number
        guard members.first == own, let newest = members.last, newest > welcomedUpTo else {
            return []
        }
        return open.sorted { $0.key < $1.key }.map {
            .again(upTo: newest, item: $0.key, text: $0.value)
        } + [.welcome(upTo: newest)]
    }

    /// - Parameter version: At which the message was ordered.
    mutating func apply(_ message: QueueMessage, at version: UInt64) {
        switch message {
        case .item(let text):
            open[version] = text
        case .done(let item):
            open[item] = nil
            if !isWelcomed { doneBefore.insert(item) }
        case .again(let token, let item, let text):
            // Whoever was welcomed knows it, or knows that it is done by now; who came later does not
            // know that.
            if !isWelcomed, own <= token, !doneBefore.contains(item) { open[item] = text }
        case .welcome(let token):
            welcomedUpTo = max(welcomedUpTo, token)
            shares.welcomedUpTo = welcomedUpTo
            if isWelcomed { doneBefore = [] }
        }
    }

    /// Who does an item: of the members that were welcomed the one that, mixed with the item, makes
    /// the largest number (rendezvous hashing). When a member is gone only its items have
    /// another worker then; to a newcomer go its share of the items and no others.
    func worker(of item: UInt64) -> UInt64? {
        members.prefix { $0 <= welcomedUpTo }
            .max { Self.mixed($0, item) < Self.mixed($1, item) }
    }

    /// The oldest item that this member is to do.
    var next: (item: UInt64, text: String)? {
        guard isWelcomed else { return nil }
        let item = open.keys.filter { worker(of: $0) == own }.min()
        return item.map { ($0, open[$0] ?? "") }
    }

    /// The same in every process, unlike Swift's own hashes: the finalizer of SplitMix64.
    private static func mixed(_ member: UInt64, _ item: UInt64) -> UInt64 {
        var number = member &* 0x9E37_79B9_7F4A_7C15 ^ item
        number = (number ^ (number >> 30)) &* 0xBF58_476D_1CE4_E5B9
        number = (number ^ (number >> 27)) &* 0x94D0_49BB_1331_11EB
        return number ^ (number >> 31)
    }
}
