import Conclave

/// What one member says and does, following from what it hears.
struct Worker {
    enum Event: Sendable {
        case update(GroupUpdate)
        /// This member has done the item.
        case finished(UInt64)
    }

    struct Item: Sendable {
        let number: UInt64
        let text: String
        /// By which this member got it.
        let shares: SharedQueue.Shares
    }

    private var queue: SharedQueue
    private let saying: AsyncStream<QueueMessage>.Continuation
    private let doing: AsyncStream<Item>.Continuation
    private var isBusy = false
    /// Done here; that is not yet told to all.
    private var finished: Set<UInt64> = []

    init(
        own: UInt64, saying: AsyncStream<QueueMessage>.Continuation,
        doing: AsyncStream<Item>.Continuation
    ) {
        queue = SharedQueue(own: own)
        self.saying = saying
        self.doing = doing
    }

    /// - Throws: If it was told too little to go on: join anew.
    mutating func handle(_ event: Event) throws {
        switch event {
        case .update(let update):
            try apply(update)
        case .finished(let item):
            isBusy = false
            // Somebody else may have done it meanwhile, after the workers had changed.
            if queue.open[item] != nil {
                finished.insert(item)
                saying.yield(.done(item: item))
            }
        }
        beginNext()
    }

    private mutating func apply(_ update: GroupUpdate) throws {
        if update.kind == .resync {
            throw Failure("was behind for too long, and missed messages: start it again")
        }
        if let view = update.view {
            let tokens = view.members.map(\.token.number)
            for message in queue.install(view: view.number, members: tokens) {
                saying.yield(message)
            }
        }
        if let message = update.message, let said = QueueMessage(message.text) {
            queue.apply(said, at: message.version.number)
            finished = finished.filter { queue.open[$0] != nil }
        }
    }

    private mutating func beginNext() {
        guard !isBusy, let (number, text) = queue.next(unless: finished.contains) else { return }
        isBusy = true
        doing.yield(Item(number: number, text: text, shares: queue.shares))
    }
}
