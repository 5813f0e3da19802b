import Foundation
import TestSupport
import Testing

/// `examples/work-queue`: members come and are killed while items are done.
@Suite(.serialized) struct `Example work-queue` {
    @Test func `all items are done, and twice only if the workers have changed`() throws {
        let group = try Group.serving()
        var workers = try (1...3).map { try worker(in: group, at: $0) }
        let items = (1...500).map { "item-\($0)" }
        let submission = try group.example("work-queue", ["submit", "jobs"] + items, at: 1)
        try wait(for: "each of three workers: \(submission.errors)") {
            workers.allSatisfy { done(by: $0).count >= 5 }
        }
        workers[1].kill()
        // One while the open items are still said to the other.
        let newcomers = try (0..<3).map { _ in try worker(in: group, at: 2) }
        try wait(for: "the newcomers: \(newcomers.map(\.errors))") {
            newcomers.allSatisfy { done(by: $0).count >= 5 }
        }
        workers += newcomers
        // The one that the others have learnt the open items from; and a host with its worker.
        workers[0].kill()
        group.kill(3)
        workers[2].kill()
        try #require(submission.isRunning, "all was done before the last one was killed")
        let ending = try submission.end(seconds: 120)
        #expect(ending.status == 0, "\(ending.errors)")

        let submitted = numbers(of: items, in: ending.output)
        #expect(submitted.count == items.count)
        try check(workers.flatMap { done(by: $0) }, submitted)
        for newcomer in newcomers { newcomer.kill() }
    }

    /// It is lost with its only worker, and that is said.
    @Test func `who submits is told that no worker is left`() throws {
        let group = try Group.serving(of: 1)
        let worker = try group.example("work-queue", ["work", "jobs", "--milliseconds", "600000"])
        let submission = try group.example("work-queue", ["submit", "jobs", "a"])
        try wait(for: "the item: \(submission.errors)") { submission.output.hasSuffix(": a\n") }
        worker.kill()
        let ending = try submission.end()
        #expect(ending.status == 1)
        #expect(ending.errors.contains("has no workers any more"), "\(ending)")
    }

    private struct Done: Hashable {
        var item: UInt64
        /// By whose workers it was this one's.
        var view: Substring
        var text: Substring
    }

    private func worker(in group: Group, at node: Int) throws -> Running {
        try group.example("work-queue", ["work", "jobs", "--milliseconds", "20"], at: node)
    }

    private func done(by worker: Running) -> [Done] {
        worker.output.matches(of: /did ([0-9]+) in view ([0-9]+): (.*)\n/).map {
            Done(item: UInt64($0.1) ?? 0, view: $0.2, text: $0.3)
        }
    }

    /// The text of each item, as who submitted it was told.
    private func numbers(of items: [String], in output: String) -> [UInt64: Substring] {
        var texts: [UInt64: Substring] = [:]
        for match in output.matches(of: /item ([0-9]+): (.*)\n/) {
            texts[UInt64(match.1) ?? 0] = match.2
        }
        return texts
    }

    private func check(_ done: [Done], _ submitted: [UInt64: Substring]) throws {
        var texts: [UInt64: Substring] = [:]
        for entry in done { texts[entry.item] = entry.text }
        #expect(texts == submitted)
        // In one view an item has one worker.
        #expect(Set(done.map { "\($0.item) \($0.view)" }).count == done.count)
        // They have changed a few times, and each was at one item then.
        #expect(done.count - submitted.count <= 24)
    }
}
