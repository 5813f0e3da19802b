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
        /// By whose shares this member got it.
        let view: UInt64
    }

    private let own: UInt64
    private(set) var queue: SharedQueue
    private let saying: AsyncStream<QueueMessage>.Continuation
    private let doing: AsyncStream<Item>.Continuation
    private var stage = Stage.idle

    private enum Stage {
        case idle
        case doing
        /// It has done the item, and not all have been told. Until then it begins no other: so when
        /// the workers change each has at most one that is done once more.
        case telling(UInt64)
    }

    init(
        own: UInt64, _ queue: SharedQueue, saying: AsyncStream<QueueMessage>.Continuation,
        doing: AsyncStream<Item>.Continuation
    ) {
        self.own = own
        self.queue = queue
        self.saying = saying
        self.doing = doing
    }

    /// - Throws: If it was told too little to go on: join anew.
    mutating func handle(_ event: Event) throws {
        switch event {
        case .update(let update):
            try apply(update)
        case .finished(let item):
            stage = .telling(item)
            saying.yield(.done(item: item))
        }
        beginNext()
    }

    private mutating func apply(_ update: GroupUpdate) throws {
        if update.kind == .resync {
            throw Failure("was behind for too long, and missed messages: start it again")
        }
        if let view = update.view {
            let workers = view.members.filter(\.hasState).map(\.token.number)
            queue.install(view: view.number, workers: workers)
        }
        if let message = update.message, let said = QueueMessage(message.text) {
            queue.apply(said, at: message.version.number)
        }
    }

    private mutating func beginNext() {
        // Somebody else may have done it meanwhile, when the workers had changed.
        if case .telling(let item) = stage, queue.open[item] == nil { stage = .idle }
        guard case .idle = stage, let (number, text) = queue.next(for: own) else { return }
        stage = .doing
        doing.yield(Item(number: number, text: text, view: queue.view))
    }
}
