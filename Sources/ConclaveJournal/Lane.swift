import ConclaveBase
import ConclaveReactor
import Synchronization

/// Operations that one thread carries out in the order in which they were submitted.
final class Lane: Sendable {
    private struct Work {
        var operation: DiskOperation
        var tag: UInt64
    }

    private struct State {
        var waiting: [Work] = []
        var isClosed = false
    }

    private let name: String
    private let files: FileStore
    private let completions: Completions
    private let state = Mutex(State())
    private let waker: Waker

    init(name: String, files: FileStore, completions: Completions) throws(SystemError) {
        self.name = name
        self.files = files
        self.completions = completions
        waker = try Waker(.waitedFor)
    }

    func start() throws(SystemError) -> WorkerThread {
        try WorkerThread(name: name) { [self] in run() }
    }

    func submit(_ operation: DiskOperation, tag: UInt64) {
        state.withLock { state in
            precondition(!state.isClosed, "the disk is closed")
            state.waiting.append(Work(operation: operation, tag: tag))
        }
        waker.wake()
    }

    /// The thread ends when everything that was submitted is done.
    func close() {
        state.withLock { $0.isClosed = true }
        waker.wake()
    }

    private func run() {
        /// Nothing is done after a failure: what was queued behind it was built on it.
        var failure: DiskError?
        while let batch = nextBatch() {
            for work in batch {
                let error = failure ?? perform(work.operation)
                failure = error
                completions.add(tag: work.tag, error: error)
            }
        }
    }

    /// Sleeps until there is work; nil at the end.
    private func nextBatch() -> [Work]? {
        while true {
            let (batch, isClosed) = state.withLock { state in
                let batch = state.waiting
                state.waiting = []
                return (batch, state.isClosed)
            }
            if !batch.isEmpty { return batch }
            if isClosed { return nil }
            waker.wait()
        }
    }

    private func perform(_ operation: DiskOperation) -> DiskError? {
        do throws(DiskError) {
            switch operation {
            case .create(let file, let byteCount): try files.create(file, byteCount: byteCount)
            case .write(let file, let offset, let bytes):
                try files.write(bytes, to: file, at: offset)
            case .sync(let file): try files.sync(file)
            case .rename(let file, let target): try files.rename(file, to: target)
            case .remove(let file): try files.remove(file)
            case .syncDirectory: try files.syncDirectory()
            }
            return nil
        } catch {
            return error
        }
    }
}

/// What the lanes' threads hand back to the thread that submitted.
final class Completions: Sendable {
    struct Completion {
        var tag: UInt64
        var error: DiskError?
    }

    /// Readable while there is something to take.
    let waker: Waker
    private let done = Mutex<[Completion]>([])

    init() throws(SystemError) {
        waker = try Waker()
    }

    func add(tag: UInt64, error: DiskError?) {
        done.withLock { $0.append(Completion(tag: tag, error: error)) }
        waker.wake()
    }

    func take() -> [Completion] {
        done.withLock { done in
            let taken = done
            done = []
            return taken
        }
    }
}
