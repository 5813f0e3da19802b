/// What is said in the group. An item is named by the version of the message that brought it.
enum QueueMessage: Equatable {
    /// A message must fit a slot of the group.
    static let maximumItemByteCount = 4 << 10

    /// A new item.
    case item(text: String)
    case done(item: UInt64)

    var text: String {
        switch self {
        case .item(let text): "item \(text)"
        case .done(let item): "done \(item)"
        }
    }

    /// `nil`: it is nothing of the queue, or an item that is too long; anybody may talk to a group.
    init?(_ message: String) {
        let words = message.split(
            separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
        guard words.count == 2 else { return nil }
        switch words[0] {
        case "item":
            guard words[1].utf8.count <= Self.maximumItemByteCount else { return nil }
            self = .item(text: String(words[1]))
        case "done":
            guard let item = UInt64(words[1]) else { return nil }
            self = .done(item: item)
        default:
            return nil
        }
    }
}
