import Conclave

/// After so long somebody who looks at a command wonders why nothing comes.
let impatience: Int32 = 2_000

/// Tells why a command waits, if that is its daemon: outside the majority nothing comes, maybe for ever,
/// nor from one that hangs. Asks it on a connection of its own, and says nothing if it serves.
func tellWhyItWaits(socket: String?, _ say: @escaping @Sendable (String) -> Void) {
    Task {
        guard let conclave = try? await Conclave.connect(socket: socket) else { return }
        do {
            let status = try await conclave.status(wait: .seconds(2))
            if !status.isServing {
                say("still waiting: node \(status.node) is not serving: \(status.reason.shown)")
            }
        } catch let error as ConclaveError {
            say("still waiting: \(error.message.shown); if it hangs, its log may say why")
        } catch {}
        await conclave.close()
    }
}

/// The same, told on the standard error.
func tellWhyItWaits(socket: String?, json: Bool) {
    tellWhyItWaits(socket: socket) { reason in
        if json {
            Output.standardError(JSON.object(["waiting": .string(reason)]).description)
        } else {
            Output.error(reason)
        }
    }
}
