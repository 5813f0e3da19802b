import Conclave

/// Runs `body`, which waits for others and may be interrupted: a signal cancels it. Ends the command
/// with what becomes of that.
func waitInterruptibly(
    _ common: CommonOptions, _ body: @escaping @Sendable () async -> ExitStatus
) throws -> Never {
    let signals = WrapperSignals()
    let inbox = Inbox<ExitStatus>()
    let task = Task { inbox.send(await body()) }
    var isImpatient = false
    while true {
        waitUntilReadable(
            [signals.descriptor, inbox.descriptor], milliseconds: isImpatient ? -1 : impatience)
        if let status = inbox.take().first { throw status }
        guard !WrapperSignals.forwarded.isDisjoint(with: signals.take()) else {
            if !isImpatient { common.tellWhyItWaits() }
            isImpatient = true
            continue
        }
        // What waits is cancelled in order, but not waited for any longer than that takes.
        task.cancel()
        waitUntilReadable([signals.descriptor, inbox.descriptor], milliseconds: 2_000)
        let status = inbox.take().first
        throw status?.code == 0 ? ExitStatus(0) : ExitStatus(ExitStatus.interrupted)
    }
}

/// What a body that fails ends the command with.
func exitStatus(
    telling json: Bool, see command: String? = nil, _ body: () async throws -> Void
) async -> ExitStatus {
    do {
        try await body()
        return ExitStatus(ExitStatus.success)
    } catch let status as ExitStatus {
        return status
    } catch let error as ConclaveError {
        Failure.tell(error, json: json, see: command)
        return ExitStatus(for: error)
    } catch {
        if json { Failure.tell("interrupted", code: "cancelled", json: true) }
        return ExitStatus(ExitStatus.interrupted)
    }
}
