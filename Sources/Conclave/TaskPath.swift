import ConclaveBase
import ConclaveClientCore
import ConclaveWire
import Synchronization

/// Who waits for whom inside programs: the tasks that go on only when some work has ended, the
/// outermost first.
///
/// The group refuses a request that would wait for itself, with the error `deadlock`. What a session
/// holds and awaits counts as one task, unless it is taken inside the body of `withLock` or
/// `withLeadership`: each body is a task of its own, and the one around it waits for it. So what
/// independent tasks of one program take by these is told apart.
///
/// Work that is done elsewhere, in a task that was not started by the body or in another process,
/// says so by `perform`:
///
///     let path = lock.taskPath.description  // in an environment variable, say
///     try await TaskPath(path)?.perform { try await conclave.withLock("other") { … } }
///
/// `conclave lock` does that for the commands that it runs, by the variable `CONCLAVE_TASK`.
public struct TaskPath: Hashable, Sendable {
    let references: [TaskReference]

    @TaskLocal static var current: TaskPath?

    private static let newest = Atomic<UInt64>(0)

    init(_ references: [TaskReference]) {
        self.references = Array(references.suffix(ClientLimits.tasksAround))
    }

    /// Runs `body` as a part of that work, which is taken to wait for it.
    public func perform<Result: Sendable>(
        _ body: @Sendable () async throws -> Result
    ) async rethrows -> Result {
        try await Self.$current.withValue(self, operation: body)
    }

    /// Who asks for something that a body, or else a guard, is to hold.
    static func tag(forBody: Bool, in session: SessionID?) -> TaskTag {
        let around = current?.references ?? []
        if !forBody {
            guard let own = around.last else { return TaskTag() }
            if own.session == session {
                return TaskTag(number: own.number, within: around.dropLast())
            }
        }
        let number = newest.add(1, ordering: .relaxed).newValue
        return TaskTag(number: number, within: around)
    }
}

extension TaskPath: LosslessStringConvertible {
    /// Sessions and tasks as `6.1,9.1`; `nil` if it is nothing of the kind.
    public init?(_ description: String) {
        let parts = description.split(separator: ",", omittingEmptySubsequences: false)
        guard parts.count <= ClientLimits.tasksAround else { return nil }
        var references: [TaskReference] = []
        for part in parts {
            let numbers = part.split(separator: ".", omittingEmptySubsequences: false)
            guard numbers.count == 2, let session = UInt64(numbers[0]),
                let task = UInt64(numbers[1])
            else { return nil }
            references.append(TaskReference(session: SessionID(session), number: task))
        }
        self.references = references
    }

    public var description: String {
        references.map { "\($0.session.number).\($0.number)" }.joined(separator: ",")
    }
}
