import PacketSockets

/// What nodes and clients say to each other: one packet each, words with a space between them. A
/// value is the last word and may have spaces.
enum ChainMessage: Equatable {
    // From a node to its successor.

    /// The first: which member the predecessor is.
    case link(token: UInt64)
    /// A part of the state, which `stateComplete` ends.
    case entry(key: String, value: String)
    case client(String, ClientProgress)
    /// With all updates up to that number the state is what was sent before.
    case stateComplete(applied: UInt64)
    case update(Update)

    // From a node to its predecessor.

    /// The answer to `link`.
    case linked(Possession)
    /// The tail has all updates up to that one.
    case acknowledge(UInt64)

    // From a client, and the answers.

    case put(PutRequest)
    case done
    case get(key: String)
    case value(String)
    case absent
    /// This node is not the one to ask, now.
    case elsewhere
    case invalid(reason: String)

    /// What a node has when its predecessor finds it.
    enum Possession: Equatable {
        /// It has just joined.
        case nothing
        case updates(upTo: UInt64)
    }
}

/// A client's wish to set a key. It has the same number when it is sent again.
struct PutRequest: Equatable {
    static let maximumKeyByteCount = 255
    static let maximumValueByteCount = 4 << 10

    let client: String
    let number: UInt64
    let key: String
    let value: String

    /// Why it cannot be; `nil`: it can.
    var fault: String? {
        if key.utf8.count > Self.maximumKeyByteCount {
            "a key has at most \(Self.maximumKeyByteCount) bytes"
        } else if client.utf8.count > Self.maximumKeyByteCount {
            "a client's name has at most \(Self.maximumKeyByteCount) bytes"
        } else if value.utf8.count > Self.maximumValueByteCount {
            "a value has at most \(Self.maximumValueByteCount) bytes"
        } else {
            nil
        }
    }
}

/// A request with the number that the head gave it: 1, 2, 3 and so on.
struct Update: Equatable {
    let number: UInt64
    let request: PutRequest
}

/// A client's last request, and the update that it became.
struct ClientProgress: Equatable {
    var request: UInt64
    var update: UInt64
}

extension ChainMessage {
    var packet: [UInt8] { Array(text.utf8) }

    private var text: String {
        switch self {
        case .link(let token): "link \(token)"
        case .entry(let key, let value): "entry \(key) \(value)"
        case .client(let name, let progress):
            "client \(name) \(progress.request) \(progress.update)"
        case .stateComplete(let applied): "state \(applied)"
        case .update(let update): "update \(update.number) \(update.request.words)"
        case .linked(.nothing): "linked"
        case .linked(.updates(let last)): "linked \(last)"
        case .acknowledge(let number): "acknowledge \(number)"
        case .put(let request): "put \(request.words)"
        case .done: "done"
        case .get(let key): "get \(key)"
        case .value(let value): "value \(value)"
        case .absent: "absent"
        case .elsewhere: "elsewhere"
        case .invalid(let reason): "invalid \(reason)"
        }
    }

    init(_ packet: [UInt8]) throws {
        guard let text = String(validating: packet, as: UTF8.self) else {
            throw Failure("a packet is not UTF-8")
        }
        var words = Words(text)
        let kind = try words.next()
        switch kind {
        case "link": self = .link(token: try words.number())
        case "entry": self = .entry(key: try words.next(), value: words.rest)
        case "client":
            self = .client(
                try words.next(),
                ClientProgress(request: try words.number(), update: try words.number()))
        case "state": self = .stateComplete(applied: try words.number())
        case "update":
            self = .update(Update(number: try words.number(), request: try words.request()))
        case "linked":
            self = .linked(words.isAtEnd ? .nothing : .updates(upTo: try words.number()))
        case "acknowledge": self = .acknowledge(try words.number())
        case "put": self = .put(try words.request())
        case "done": self = .done
        case "get": self = .get(key: try words.next())
        case "value": self = .value(words.rest)
        case "absent": self = .absent
        case "elsewhere": self = .elsewhere
        case "invalid": self = .invalid(reason: words.rest)
        default: throw Failure("a packet begins with '\(kind)'")
        }
    }
}

extension PutRequest {
    fileprivate var words: String { "\(client) \(number) \(key) \(value)" }
}

/// The words of a packet, from the first on.
private struct Words {
    private var remaining: Substring

    init(_ text: String) {
        remaining = text[...]
    }

    var isAtEnd: Bool { remaining.isEmpty }

    /// Everything that is left.
    var rest: String { String(remaining) }

    mutating func next() throws -> String {
        let word = remaining.prefix { $0 != " " }
        guard !word.isEmpty else { throw Failure("a packet ends too early") }
        remaining = remaining[word.endIndex...].dropFirst()
        return String(word)
    }

    mutating func number() throws -> UInt64 {
        let word = try next()
        guard let number = UInt64(word) else { throw Failure("'\(word)' is no number") }
        return number
    }

    mutating func request() throws -> PutRequest {
        PutRequest(
            client: try next(), number: try number(), key: try next(), value: rest)
    }
}
