import PacketSockets

/// What a writer asks of the store, in one packet: the file and the token in the first line, and the
/// text after it.
struct StoreRequest {
    let file: String
    let token: UInt64
    let text: String

    init(file: String, token: UInt64, text: String) {
        self.file = file
        self.token = token
        self.text = text
    }

    init(_ packet: [UInt8]) throws {
        guard let packet = String(validating: packet, as: UTF8.self) else {
            throw Failure("the request is not UTF-8")
        }
        let parts = packet.split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: false)
        let words = parts[0].split(separator: " ")
        guard parts.count == 2, words.count == 2, let token = UInt64(words[1]) else {
            throw Failure("the request is not a line with a file and a token, and a text")
        }
        self.init(file: String(words[0]), token: token, text: String(parts[1]))
    }

    var packet: [UInt8] { Array("\(file) \(token)\n\(text)".utf8) }
}

/// The store's answer, in one packet.
enum StoreAnswer: Equatable {
    case written
    /// The file was written with a larger token before.
    case refused(newest: UInt64)
    case invalid(String)

    init(_ packet: [UInt8]) throws {
        let text = String(decoding: packet, as: UTF8.self)
        let words = text.split(separator: " ", maxSplits: 1).map(String.init)
        if text == "written" {
            self = .written
        } else if words.count == 2, words[0] == "refused", let newest = UInt64(words[1]) {
            self = .refused(newest: newest)
        } else if words.count == 2, words[0] == "invalid" {
            self = .invalid(words[1])
        } else {
            throw Failure("the store answered '\(text)'")
        }
    }

    var packetText: String {
        switch self {
        case .written: "written"
        case .refused(let newest): "refused \(newest)"
        case .invalid(let reason): "invalid \(reason)"
        }
    }

    var packet: [UInt8] { Array(packetText.utf8) }
}

/// A writer's side of the store.
struct StoreClient {
    let directory: String

    static func socketPath(in directory: String) -> String { "\(directory)/.socket" }

    func write(_ text: String, to file: String, token: UInt64) throws -> StoreAnswer {
        let server = try PacketSocket.connected(to: Self.socketPath(in: directory))
        try server.send(StoreRequest(file: file, token: token, text: text).packet)
        return try StoreAnswer(server.receive())
    }
}
