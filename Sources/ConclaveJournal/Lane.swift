import ConclaveBase
import ConclaveReactor
import Glibc
import Synchronization

/// Operations that one thread carries out in the order in which they were submitted.
final class Lane: Sendable {
    private struct Work {
        var operation: DiskOperation
        var tag: UInt64
    }

    private struct State {
        var waiting: [Work] = []
        /// The thread found nothing to do, and nobody has woken it since.
        var isSleeping = false
        var isClosed = false
    }

    /// How often it is tried whether there is room.
    private static let pauseMilliseconds: Int32 = 200

    private let name: String
    private let kind: DiskLane
    private let files: FileStore
    private let completions: Completions
    private let slowness: SyncSlowness
    private let state = Mutex(State())
    private let waker: Waker

    init(
        _ kind: DiskLane, files: FileStore, completions: Completions, slowness: SyncSlowness
    ) throws(SystemError) {
        name = "disk-\(kind)"
        self.kind = kind
        self.files = files
        self.completions = completions
        self.slowness = slowness
        waker = try Waker(.waitedFor)
    }

    func start() throws(SystemError) -> WorkerThread {
        try WorkerThread(name: name) { [self] in run() }
    }

    func submit(_ operation: DiskOperation, tag: UInt64) {
        let mustWake = state.withLock { state in
            precondition(!state.isClosed, "the disk is closed")
            state.waiting.append(Work(operation: operation, tag: tag))
            // It is carried out with what follows it, and that is a sync.
            if tag == 0, case .write = operation { return false }
            defer { state.isSleeping = false }
            return state.isSleeping
        }
        if mustWake { waker.wake() }
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
                failure = failure ?? performWithRoom(work.operation)
                if let failure {
                    completions.add(.failed(tag: work.tag, failure))
                } else if work.tag != 0 {
                    completions.add(.completed(tag: work.tag))
                }
            }
        }
    }

    /// Waits for room if there is none; a lane that is closed meanwhile gives up.
    private func performWithRoom(_ operation: DiskOperation) -> DiskError? {
        var error = perform(operation)
        guard operation.mayWaitForRoom, case .full(let file) = error else { return error }
        completions.add(.full(kind, file: file))
        while case .full = error {
            if state.withLock({ $0.isClosed }) { return error }
            // A pause, no deadline: whatever clock it runs on.
            _ = poll(nil, 0, Self.pauseMilliseconds)
            error = perform(operation)
        }
        if error == nil { completions.add(.hasRoom(kind)) }
        return error
    }

    /// Sleeps until there is work; nil at the end.
    private func nextBatch() -> [Work]? {
        while true {
            let (batch, isClosed) = state.withLock { state in
                let batch = state.waiting
                state.waiting = []
                state.isSleeping = batch.isEmpty
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
            case .sync(let file):
                slowness.pass()
                try files.sync(file)
            case .rename(let file, let target): try files.rename(file, to: target)
            case .remove(let file): try files.remove(file)
            case .syncDirectory:
                slowness.pass()
                try files.syncDirectory()
            }
            return nil
        } catch {
            return error
        }
    }
}

/// What the lanes' threads hand back to the thread that submitted.
final class Completions: Sendable {
    /// Readable while there is something to take.
    let waker: Waker
    private let done = Mutex<[DiskInput]>([])

    init() throws(SystemError) {
        waker = try Waker()
    }

    func add(_ input: DiskInput) {
        done.withLock { $0.append(input) }
        waker.wake()
    }

    func take() -> [DiskInput] {
        done.withLock { done in
            let taken = done
            done = []
            return taken
        }
    }
}
