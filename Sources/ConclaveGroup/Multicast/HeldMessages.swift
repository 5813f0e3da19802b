/// Messages of an epoch that are received but not delivered: those of a wedged member, of a member
/// that restarted, or of a joiner, until the trim says which of them are delivered.
package struct HeldMessages: Equatable, Sendable {
    private var messages: [[OrderedMessage]]
    /// For each sender, how many of its messages were delivered before.
    package private(set) var delivered: [UInt64]

    package init(delivered: [UInt64]) {
        self.delivered = delivered
        messages = Array(repeating: [], count: delivered.count)
    }

    /// For each sender, how many of its messages are delivered or held, without a gap.
    package var vector: [UInt64] {
        zip(delivered, messages).map { $0 + UInt64($1.count) }
    }

    package var count: Int { messages.reduce(0) { $0 + $1.count } }

    /// Takes a message if it is the next of its sender; one that is held already is ignored.
    ///
    /// - Returns: False if one before it is missing.
    package mutating func append(_ message: OrderedMessage) -> Bool {
        guard messages.indices.contains(message.sender) else { return false }
        let next = delivered[message.sender] + UInt64(messages[message.sender].count)
        guard message.ordinal <= next else { return false }
        if message.ordinal == next { messages[message.sender].append(message) }
        return true
    }

    /// The next message of `sender` is delivered, whether it is held or not; what is held beyond it
    /// stays.
    package mutating func deliverNext(of sender: Int) {
        delivered[sender] += 1
        if !messages[sender].isEmpty { messages[sender].removeFirst() }
    }

    /// The held messages of `sender` with ordinals in `range`; fewer if not all are held.
    package func messages(of sender: Int, in range: Range<UInt64>) -> ArraySlice<OrderedMessage> {
        let held = messages[sender]
        let base = delivered[sender]
        let lower = range.lowerBound > base ? Int(clamping: range.lowerBound - base) : 0
        let upper = range.upperBound > base ? Int(clamping: range.upperBound - base) : 0
        guard lower < held.count, lower < upper else { return [] }
        return held[lower..<min(upper, held.count)]
    }

    /// Removes and returns what lies below `trim`, in the total order; the rest is discarded (V20).
    ///
    /// - Precondition: `trim` is not above `vector`.
    package mutating func deliver(below trim: [UInt64]) -> [OrderedMessage] {
        let vector = self.vector
        precondition(
            zip(trim, vector).allSatisfy { $0 <= $1 },
            "trim \(trim) is above what is held, \(vector)")
        var result: [OrderedMessage] = []
        for sender in messages.indices where trim[sender] > delivered[sender] {
            result += messages(of: sender, in: delivered[sender]..<trim[sender])
        }
        let memberCount = messages.count
        result.sort {
            $0.position(memberCount: memberCount) < $1.position(memberCount: memberCount)
        }
        for sender in messages.indices {
            delivered[sender] = max(delivered[sender], trim[sender])
            messages[sender] = []
        }
        return result
    }
}
