import Conclave
import PacketSockets

/// Asks the chain: its head to put, its tail to get. What was not answered is asked again, of
/// whoever is head or tail by then; the numbers of its requests make that harmless.
struct ChainClient {
    private enum Place {
        case head
        case tail
    }

    /// How long one node may take to answer; an update waits while the chain is mended.
    private static let patienceSeconds = 2
    private static let pause = Duration.milliseconds(50)

    private let conclave: Conclave
    private let chain: String
    /// Unlike that of any other client.
    private let name = String(UInt64.random(in: .min ... .max), radix: 16)
    private let patience: Duration
    private var requestCount: UInt64 = 0
    private var members: [GroupMember] = []
    /// To the node that was asked last.
    private var connection: (member: FencingToken, socket: PacketSocket)?

    /// - Parameter patience: How long a request may take, with all its attempts.
    init(conclave: Conclave, chain: String, patience: Duration) {
        self.conclave = conclave
        self.chain = chain
        self.patience = patience
    }

    /// Returns when the update is acknowledged.
    mutating func put(_ key: String, _ value: String) async throws {
        requestCount += 1
        let request = PutRequest(client: name, number: requestCount, key: key, value: value)
        let answer = try await ask(.put(request), at: .head)
        guard case .done = answer else { throw Failure("the head answered \(answer)") }
    }

    /// `nil`: it is absent.
    mutating func get(_ key: String) async throws -> String? {
        let answer = try await ask(.get(key: key), at: .tail)
        switch answer {
        case .value(let value): return value
        case .absent: return nil
        default: throw Failure("the tail answered \(answer)")
        }
    }

    private mutating func ask(_ message: ChainMessage, at place: Place) async throws -> ChainMessage
    {
        let deadline = ContinuousClock.now + patience
        while true {
            if let member = place == .head ? members.first : members.last {
                let answer = try? answer(to: message, from: member)
                if let answer, answer != .elsewhere { return answer }
                // The socket may still bring an answer to this request, in place of the next one's.
                connection = nil
                try await Task.sleep(for: Self.pause)
            }
            guard ContinuousClock.now < deadline else {
                throw Failure("chain \(chain) did not answer in time")
            }
            members = try await presentMembers()
        }
    }

    /// Blocks its thread for at most two seconds.
    private mutating func answer(
        to message: ChainMessage, from member: GroupMember
    ) throws -> ChainMessage {
        if connection?.member != member.token {
            let path = member.attributes[ChainView.socketAttribute] ?? ""
            let socket = try PacketSocket.connected(to: path)
            socket.setPatience(seconds: Self.patienceSeconds)
            connection = (member.token, socket)
        }
        guard let socket = connection?.socket else { return .elsewhere }
        try socket.send(message.packet)
        return try ChainMessage(socket.receive())
    }

    private func presentMembers() async throws -> [GroupMember] {
        for try await update in conclave.members(of: chain, wait: patience) {
            if let view = update.view { return view.members }
        }
        return []
    }
}
