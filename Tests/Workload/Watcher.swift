import Conclave
import ConclaveBase
import ConclaveSimulation
import ConclaveWire

/// Watches keys, and connects anew when it is no longer told.
struct Watcher {
    let socket: String
    let prefix: String
    let history: HistoryFile
    let tally: Tally

    /// Until its task is cancelled.
    func run() async {
        while !Task.isCancelled {
            if let conclave = try? await Conclave.connect(socket: socket, label: "watcher") {
                try? await follow(Life(conclave, history: history, tally: tally))
                await conclave.close()
            }
            try? await Task.sleep(for: .milliseconds(100))
        }
    }

    private func follow(_ life: Life) async throws {
        for try await update in life.conclave.configuration.watch(prefix: prefix) {
            switch update.kind {
            case .state(let isResync):
                guard let version = update.version else { continue }
                let part = KeyStatePart(
                    version: version, isFirst: true, isLast: true, isResync: isResync,
                    entries: try update.entries.map(KeyEntry.init))
                tell(.state(part), life)
            case .change:
                guard let change = update.change, let version = update.version else { continue }
                tell(.changes([try KeyChange(change)], upTo: version), life)
            default: break
            }
        }
    }

    private func tell(_ news: KeyNews, _ life: Life) {
        life.watched(HistoryWatch(watch: KeyWatch(.prefix(prefix)), news: news))
    }
}
