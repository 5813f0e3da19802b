import ArgumentParser
import ConclaveBase
import Glibc

/// Users of a group that write down what they did and were told.
@main
struct Workload: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "conclave-workload",
        abstract: "Locks, campaigns, barriers and keys whose history `conclave-sim` can check.",
        discussion: """
            Goes on until the file that --until names is there and every operation is answered; \
            then prints how often there was each answer, and how long the longest one took.
            """)

    @Option(help: "A daemon's socket; once for each, and the workers take turns.")
    var socket: [String]

    @Option(help: "The file to which the history is appended.")
    var history: String

    @Option(help: "The number of the first session in the history, for files that go together.")
    var firstProcess: UInt64 = 1

    @Option(help: "Decides what the workers ask.")
    var seed: UInt64 = 1

    @Option(help: "How many sessions at the same time.")
    var workers: Int = 6

    @Option(help: "The file whose existence ends the work.")
    var until: String

    func validate() throws {
        guard !socket.isEmpty else { throw ValidationError("--socket is needed") }
        guard (1...1_000).contains(workers) else {
            throw ValidationError("--workers must be 1 to 1000")
        }
    }

    func run() async throws {
        let file = try HistoryFile(path: history, firstProcess: firstProcess)
        let tally = Tally()
        var random = SeededRandom(seed: seed)
        let until = until
        await withTaskGroup(of: Void.self) { observers in
            for (index, slot) in Worker.slotNames.enumerated() {
                let observer = Observer(
                    socket: socket[index % socket.count], slot: slot, history: file, tally: tally)
                observers.addTask { await observer.run() }
            }
            for (index, prefix) in ["", "key/b"].enumerated() {
                let watcher = Watcher(
                    socket: socket[index % socket.count], prefix: prefix, history: file,
                    tally: tally)
                observers.addTask { await watcher.run() }
            }
            await withTaskGroup(of: Void.self) { group in
                for index in 0..<workers {
                    let worker = Worker(
                        role: Worker.Role.allCases[index % Worker.Role.allCases.count],
                        socket: socket[index % socket.count], history: file, tally: tally,
                        random: random.split(), isOver: { access(until, F_OK) == 0 })
                    group.addTask {
                        var worker = worker
                        await worker.run()
                    }
                }
            }
            observers.cancelAll()
        }
        for line in tally.lines { print(line) }
    }
}
