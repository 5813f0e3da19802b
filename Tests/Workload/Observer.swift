import Conclave
import ConclaveBase
import ConclaveSimulation

/// Follows a slot, and connects anew when it is no longer told.
struct Observer {
    let socket: String
    let slot: ObjectName
    let history: HistoryFile
    let tally: Tally

    /// Until its task is cancelled.
    func run() async {
        while !Task.isCancelled {
            if let conclave = try? await Conclave.connect(socket: socket, label: "observer") {
                try? await follow(Life(conclave, history: history, tally: tally))
                await conclave.close()
            }
            try? await Task.sleep(for: .milliseconds(100))
        }
    }

    private func follow(_ life: Life) async throws {
        for try await change in life.conclave.leader(of: slot.text) {
            life.observed(
                HistoryObservation(
                    slot: slot, version: change.version, token: change.leaders.first?.token,
                    value: change.leaders.first?.value ?? []))
        }
    }
}
