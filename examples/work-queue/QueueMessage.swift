/// What is said in the group. An item is named by the version of the message that brought it.
enum QueueMessage: Equatable {
    /// A message must fit a slot of the group, also when the item is said again.
    static let maximumItemByteCount = 4 << 10

    /// A new item.
    case item(text: String)
    case done(item: UInt64)
    /// An item that was open when the newest member had that token. Who came later is told anew what
    /// is open then: this one may be done by now.
    case again(upTo: UInt64, item: UInt64, text: String)
    /// The members up to that token have been told every open item.
    case welcome(upTo: UInt64)

    var text: String {
        switch self {
        case .item(let text): "item \(text)"
        case .done(let item): "done \(item)"
        case .again(let token, let item, let text): "again \(token) \(item) \(text)"
        case .welcome(let token): "welcome \(token)"
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
        case "again":
            let parts = words[1].split(
                separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3, let token = UInt64(parts[0]), let item = UInt64(parts[1])
            else { return nil }
            self = .again(upTo: token, item: item, text: String(parts[2]))
        case "welcome":
            guard let token = UInt64(words[1]) else { return nil }
            self = .welcome(upTo: token)
        default:
            return nil
        }
    }
}
