import DequeModule

/// What became of one session's requests: each number is applied at most once, and its reply is
/// kept until it is certain that the client has it (K9).
///
/// **What a confirmation settles.** A request may wait for hours, and must not keep the client from
/// confirming what came after. So `confirm(upTo: n)` says: of each number up to n the client has
/// the reply, *or knows that it waits*. What it knows of waiting may be old, and the reply on its
/// way. So a reply is dropped only if n proves that the client has *it*. A reply given as its
/// request was applied is proven by its own number. A *late* reply, to a request that had waited,
/// is proven by the first request applied after it was given, since the client is told of that one
/// later. For clients that confirm without gaps this is right, too; the last late reply is then
/// kept a little longer than it need be.
struct Replies: Sendable {
    enum Standing: Equatable {
        /// Never applied: it may be.
        case unknown
        /// Refused when nothing more was kept: it is never applied.
        case refused
        /// Over for the client: never again applied nor answered.
        case settled
        case waiting(WaitingPlace)
        case answered(StoredReply)
    }

    enum State: Equatable, Sendable {
        case waiting(WaitingPlace)
        /// Settled by a confirmation up to this number; `nil`: no later request was applied yet.
        case answered(StoredReply, settledBy: UInt64?)
    }

    struct Entry: Sendable {
        var number: UInt64
        var state: State

        var isAnswered: Bool {
            if case .answered = state { true } else { false }
        }

        fileprivate var byteCount: Int {
            switch state {
            case .waiting(let place): place.replyByteCount
            case .answered(let reply, _): reply.byteCount
            }
        }
    }

    private(set) var confirmed: UInt64
    /// The largest number that was applied.
    private(set) var newest: UInt64
    /// The largest number that was refused without being kept. So that one number says it of any
    /// many, it is said of those below, too, that are not kept: a client's requests come in order.
    private(set) var refused: UInt64
    /// By number.
    private(set) var entries: Deque<Entry>
    /// Numbers of late replies that no later request has followed yet.
    private var late: [UInt64]
    /// Late replies up to `confirmed`: kept, since that does not prove that the client has them.
    private var unprovenCount: Int
    /// Of the replies that are kept (see `Reply.keptByteCount`), and of those that what waits may have.
    private(set) var byteCount: Int

    init() {
        confirmed = 0
        newest = 0
        refused = 0
        entries = []
        late = []
        unprovenCount = 0
        byteCount = 0
    }

    /// - Precondition: `entries` are sorted by number, without doubles.
    init(confirmed: UInt64, newest: UInt64, refused: UInt64, entries: [Entry]) {
        self.confirmed = confirmed
        self.newest = newest
        self.refused = refused
        self.entries = Deque(entries)
        unprovenCount = entries.count { $0.number <= confirmed && $0.isAnswered }
        byteCount = entries.reduce(0) { $0 + $1.byteCount }
        late = entries.compactMap { entry in
            if case .answered(_, settledBy: nil) = entry.state { entry.number } else { nil }
        }
    }

    var count: Int { entries.count }

    /// What waits, and the replies that the client has not confirmed as far as it can know: its own
    /// count of what is open is never less.
    var openCount: Int { entries.count - unprovenCount }

    func newestKept(upTo number: UInt64) -> UInt64? {
        let end = firstIndex(above: number)
        return end > 0 ? entries[end - 1].number : nil
    }

    func standing(of number: UInt64) -> Standing {
        guard let index = index(of: number) else {
            if number <= confirmed { return .settled }
            return number <= refused ? .refused : .unknown
        }
        switch entries[index].state {
        case .waiting(let place): return .waiting(place)
        case .answered(let reply, _): return .answered(reply)
        }
    }

    /// Notes that `number` is being applied, before anything follows from it.
    mutating func begin(_ number: UInt64) {
        guard number > newest else { return }
        newest = number
        for earlier in late {
            guard let index = index(of: earlier),
                case .answered(let reply, nil) = entries[index].state
            else { continue }
            entries[index].state = .answered(reply, settledBy: number)
        }
        late.removeAll(keepingCapacity: true)
    }

    /// Refuses a number for good, and keeps nothing of it.
    mutating func refuse(_ number: UInt64) {
        begin(number)
        refused = max(refused, number)
    }

    mutating func wait(_ number: UInt64, in place: WaitingPlace) {
        byteCount += place.replyByteCount
        insert(Entry(number: number, state: .waiting(place)))
    }

    mutating func answer(_ number: UInt64, _ reply: StoredReply) {
        byteCount += reply.byteCount
        guard let index = index(of: number) else {
            insert(Entry(number: number, state: .answered(reply, settledBy: number)))
            return
        }
        byteCount -= entries[index].byteCount
        if !entries[index].isAnswered, number <= confirmed { unprovenCount += 1 }
        entries[index].state = .answered(reply, settledBy: nil)
        late.append(number)
    }

    /// Drops what is settled, and returns what it referred to.
    mutating func confirm(upTo number: UInt64) -> [DecisionReference] {
        guard number > confirmed else { return [] }
        confirmed = number
        var dropped: [DecisionReference] = []
        func settles(_ entry: Entry) -> Bool {
            guard case .answered(let reply, let settledBy?) = entry.state, settledBy <= number
            else { return false }
            if case .decision(let reference) = reply { dropped.append(reference) }
            byteCount -= reply.byteCount
            return true
        }
        while let first = entries.first, first.number <= number, settles(first) {
            entries.removeFirst()
        }
        // Mostly that was all: only what waits, or came late, keeps others from being the first.
        let end = firstIndex(above: number)
        let kept = entries[..<end].filter { !settles($0) }
        if kept.count < end { entries.replaceSubrange(..<end, with: kept) }
        unprovenCount = kept.count { $0.isAnswered }
        return dropped
    }

    var waiting: [(number: UInt64, place: WaitingPlace)] {
        entries.compactMap { entry in
            if case .waiting(let place) = entry.state { (entry.number, place) } else { nil }
        }
    }

    var answered: [(number: UInt64, reply: StoredReply)] {
        entries.compactMap { entry in
            if case .answered(let reply, _) = entry.state { (entry.number, reply) } else { nil }
        }
    }

    private mutating func insert(_ entry: Entry) {
        if let last = entries.last, last.number > entry.number {
            entries.insert(entry, at: firstIndex(notBelow: entry.number))
        } else {
            entries.append(entry)
        }
    }

    private func index(of number: UInt64) -> Int? {
        guard let last = entries.last, number <= last.number else { return nil }
        let index = firstIndex(notBelow: number)
        return entries[index].number == number ? index : nil
    }

    private func firstIndex(above number: UInt64) -> Int {
        number == .max ? entries.count : firstIndex(notBelow: number + 1)
    }

    private func firstIndex(notBelow number: UInt64) -> Int {
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].number < number { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
