import ArgumentParser
import Conclave

struct Submit: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Puts items into the queue, and waits until they are done.",
        discussion: "Waits for a worker first. Ends with status 1 if none is left.")

    /// So that nobody is told more at once than it can keep up with.
    private static let mostOpen = 100

    @Argument(help: "The queue, and the task group that shares it.")
    var queue: String

    @Argument(help: "One item each.")
    var items: [String]

    func validate() throws {
        let most = QueueMessage.maximumItemByteCount
        for item in items where item.utf8.count > most {
            throw ValidationError("an item has at most \(most) bytes, not \(item.utf8.count)")
        }
    }

    func run() async throws {
        let conclave = try await Conclave.connect(label: "work-queue submit")
        // It listens before it says anything, so as to miss nothing.
        var updates = conclave.members(of: queue, messages: true).makeAsyncIterator()
        var remaining = items[...]
        var open: Set<UInt64> = []
        var workerCount = 0
        while !remaining.isEmpty || !open.isEmpty {
            if workerCount > 0, open.count < Self.mostOpen, let text = remaining.popFirst() {
                let message = QueueMessage.item(text: text)
                let receipt = try await conclave.send(Array(message.text.utf8), toGroup: queue)
                open.insert(receipt.version.number)
                say("item \(receipt.version): \(text)")
                continue
            }
            guard let update = try await updates.next() else { break }
            if let view = update.view { workerCount = view.members.count { $0.hasState } }
            guard workerCount > 0 || open.isEmpty else {
                throw Failure("queue \(queue) has no workers any more; open: \(open.sorted())")
            }
            guard update.kind != .resync else {
                throw Failure("was behind for too long: \(open.count) items may be open")
            }
            if let message = update.message, case .done(let item) = QueueMessage(message.text) {
                if open.remove(item) != nil { say("done \(item)") }
            }
        }
        await conclave.close()
    }
}
