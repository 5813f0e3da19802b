import Conclave

/// A member that prints what it is told, until it is interrupted or put out.
struct GroupListener {
    /// How long leaving is waited for; without it the end of this process does the same.
    private static let patience = Int32(2_000)

    private let socket: String?
    private let json: Bool
    private let inbox = Inbox<ExitStatus>()
    private let task: Task<Void, Never>

    init(_ request: HoldRequest, _ attributes: [String: String], json: Bool) {
        socket = request.socket
        self.json = json
        let inbox = inbox
        task = Task {
            inbox.send(await Self.listen(request, attributes, json: json))
        }
    }

    func run(_ signals: WrapperSignals) -> ExitStatus {
        var isImpatient = false
        while true {
            let isHeard = waitUntilReadable(
                [signals.descriptor, inbox.descriptor], milliseconds: isImpatient ? -1 : impatience)
            if !isHeard {
                isImpatient = true
                tellWhyItWaits(socket: socket, json: json)
            }
            if let status = inbox.take().first { return status }
            guard !WrapperSignals.forwarded.isDisjoint(with: signals.take()) else { continue }
            task.cancel()
            waitUntilReadable([inbox.descriptor], milliseconds: Self.patience)
            return ExitStatus(ExitStatus.interrupted)
        }
    }

    private static func listen(
        _ request: HoldRequest, _ attributes: [String: String], json: Bool
    ) async -> ExitStatus {
        var isMember = false
        do {
            let conclave = try await Conclave.connect(
                socket: request.socket, ttl: request.ttl, label: request.label)
            let membership = try await conclave.join(
                request.name, attributes: attributes, wait: request.wait)
            isMember = true
            for try await update in membership {
                Output.standard(json ? update.json(of: request.name).description : update.text)
            }
            guard Task.isCancelled else {
                let message = "no longer a member of group \(request.name)"
                throw ConclaveError(.lost, message)
            }
            try await membership.leave()
            await conclave.close()
            return ExitStatus(ExitStatus.interrupted)
        } catch let error as ConclaveError {
            Failure.tell(error, json: json)
            // Whatever the reason is, it is a member no more.
            return isMember ? ExitStatus(ExitStatus.lost) : ExitStatus(for: error)
        } catch {
            return ExitStatus(ExitStatus.interrupted)
        }
    }
}
