import Conclave
import Glibc

/// Runs `body` and waits for it, and ends the command with what its failure means.
///
/// - Parameters:
///   - follows: It prints without end.
///   - command: Which one shows more of what it is about, and its words.
func ask(
    _ common: CommonOptions, local: Bool = false, follows: Bool = false,
    see command: String? = nil,
    _ body: @escaping @Sendable (Conclave) async throws -> Void
) throws {
    let inbox = Inbox<ExitStatus?>()
    Task {
        do {
            let conclave = try await common.connect()
            if local { try await tellOfCopy(conclave) }
            try await body(conclave)
            inbox.send(nil)
        } catch let status as ExitStatus {
            inbox.send(status)
        } catch let error as ConclaveError {
            Failure.tell(error, json: common.json, see: command)
            inbox.send(ExitStatus(for: error))
        } catch {
            inbox.send(ExitStatus(ExitStatus.interrupted))
        }
    }
    waitUntilReadable([inbox.descriptor], milliseconds: impatience)
    var messages = inbox.take()
    if messages.isEmpty, !follows { common.tellWhyItWaits() }
    while messages.isEmpty {
        if follows {
            waitUntilReadable(inbox.descriptor, whileHeardOn: STDOUT_FILENO)
        } else {
            waitUntilReadable([inbox.descriptor])
        }
        messages = inbox.take()
    }
    if let status = messages[0] { throw status }
}

/// Says of which version the daemon's own copy is, and how old, beside what is printed of it.
private func tellOfCopy(_ conclave: Conclave) async throws {
    let status = try await conclave.status()
    Output.error(
        "from node \(status.node)'s own copy, of version \(status.version) or later, \(status.lag)")
}
