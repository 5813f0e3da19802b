/// What a node has: the values, and how far the updates have come.
struct ChainState {
    private(set) var values: [String: String] = [:]
    /// By name. It is a part of the state, so that every later head knows what it has applied already.
    /// (A store that is to run for years would forget a client when that has gone.)
    private(set) var clients: [String: ClientProgress] = [:]
    /// The number of the last update applied here.
    private(set) var applied: UInt64 = 0
    /// Every update up to that number is at the tail, and so at every node.
    private(set) var acknowledged: UInt64 = 0
    /// The updates applied and not acknowledged, in order: whoever comes next may not have them.
    private(set) var open: [Update] = []

    init() {}

    /// As a predecessor has told it.
    fileprivate init(
        values: [String: String], clients: [String: ClientProgress], applied: UInt64
    ) {
        self.values = values
        self.clients = clients
        self.applied = applied
    }

    /// - Precondition: It is the next one.
    mutating func apply(_ update: Update) {
        precondition(update.number == applied + 1, "\(update.number) after \(applied)")
        let request = update.request
        values[request.key] = request.value
        clients[request.client] = ClientProgress(request: request.number, update: update.number)
        applied = update.number
        open.append(update)
    }

    mutating func acknowledge(upTo number: UInt64) {
        acknowledged = max(acknowledged, min(number, applied))
        open.removeFirst(open.prefix { $0.number <= acknowledged }.count)
    }

    /// The update that a request became; `nil`: it is new.
    func update(of request: PutRequest) -> UInt64? {
        guard let progress = clients[request.client], request.number <= progress.request else {
            return nil
        }
        return progress.update
    }

    /// What makes an empty node equal to this one.
    var messages: [ChainMessage] {
        values.map { .entry(key: $0.key, value: $0.value) }
            + clients.map { .client($0.key, $0.value) } + [.stateComplete(applied: applied)]
    }
}

/// A state that is told in pieces.
struct IncomingState {
    private var values: [String: String] = [:]
    private var clients: [String: ClientProgress] = [:]

    /// - Returns: The whole, with its last piece.
    mutating func add(_ message: ChainMessage) -> ChainState? {
        switch message {
        case .entry(let key, let value):
            values[key] = value
        case .client(let name, let progress):
            clients[name] = progress
        case .stateComplete(let applied):
            return ChainState(values: values, clients: clients, applied: applied)
        default:
            break
        }
        return nil
    }
}
