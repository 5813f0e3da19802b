import Conclave

/// After so long somebody who looks at a command wonders why nothing comes.
let impatience: Int32 = 2_000

/// Tells why a command waits, if that is its daemon: outside the majority nothing comes, maybe for ever.
/// Asks it on a connection of its own, and says nothing if it serves or does not answer.
func tellWhyItWaits(socket: String?, _ say: @escaping @Sendable (String) -> Void) {
    Task {
        guard let conclave = try? await Conclave.connect(socket: socket),
            let status = try? await conclave.status(wait: .seconds(5))
        else { return }
        if !status.isServing {
            say("still waiting: node \(status.node) is not serving: \(status.reason.shown)")
        }
        await conclave.close()
    }
}
