import ArgumentParser
import Conclave

struct Work: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Does a share of the queue's work, until it is killed or put out of the group.",
        discussion: "Prints each item that it has done, and in which view of the group.")

    @Argument(help: "The queue, and the task group that shares it.")
    var queue: String

    @Option(help: "How long an item takes.")
    var milliseconds = 20

    func run() async throws {
        let conclave = try await Conclave.connect(label: "work-queue")
        try await conclave.withMembership(of: queue, sharingState: true) { membership in
            try await work(as: membership)
        }
    }

    /// Four tasks, none of which waits for another: hearing, saying, deciding and doing.
    private func work(as membership: Membership) async throws {
        let state = try await membership.adopt()
        let queue = try state.map { try SharedQueue($0) } ?? SharedQueue()
        let (events, heard) = AsyncStream<Worker.Event>.makeStream()
        let (messages, saying) = AsyncStream<QueueMessage>.makeStream()
        let (items, doing) = AsyncStream<Worker.Item>.makeStream()
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                for try await update in membership { heard.yield(.update(update)) }
            }
            tasks.addTask {
                for await message in messages { try await membership.send(message.text) }
            }
            tasks.addTask {
                for await item in items {
                    try await perform(item)
                    heard.yield(.finished(item.number))
                }
            }
            tasks.addTask {
                var worker = Worker(
                    own: membership.token.number, queue, saying: saying, doing: doing)
                for await event in events {
                    try worker.handle(event)
                    guard case .update(let update) = event, let view = update.view else { continue }
                    try await membership.provide(at: view) { worker.queue.bytes }
                }
            }
            // None of them ends unless it is over.
            try await tasks.next()
            tasks.cancelAll()
        }
    }

    /// The work itself; here it only takes its time.
    private func perform(_ item: Worker.Item) async throws {
        try await Task.sleep(for: .milliseconds(milliseconds))
        say("did \(item.number) in view \(item.view): \(item.text)")
    }
}
