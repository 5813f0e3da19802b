package import ConclaveBase
package import ConclaveReactor
import Synchronization

/// Told, on the reactor's thread, how the operations of a disk ended.
package protocol DiskSink: AnyObject {
    func receive(_ input: DiskInput)
}

/// A data directory, locked by this process, and a thread for each lane.
///
/// A file keeps its descriptor open between operations. Once a write or a sync has failed, all
/// that follows in that lane fails with the same error: after a failed sync the next one would
/// succeed although the data is gone (V31).
package final class FileDisk: Disk {
    private let files: FileStore
    private let completions: Completions
    private let slowness = SyncSlowness()
    private let lanes: [Lane]
    private var threads: [WorkerThread] = []
    private var reactor: Reactor?
    private var registration: Reactor.Registration?
    private var sink: (any DiskSink)?

    /// Locks `path`, which is made if it is not there (its parent must be), and removes what
    /// unfinished creations left behind.
    package init(path: String) throws(FileDiskFault) {
        files = try FileStore(path: path)
        do {
            let completions = try Completions()
            self.completions = completions
            var lanes: [Lane] = []
            for lane in DiskLane.allCases {
                lanes.append(
                    try Lane(lane, files: files, completions: completions, slowness: slowness))
            }
            self.lanes = lanes
            for lane in lanes { threads.append(try lane.start()) }
        } catch {
            throw .failed(path: path, error)
        }
    }

    deinit {
        close()
    }

    /// From now on, and until the close, `sink` is told of every completion, also of those before.
    package func start(on reactor: Reactor, _ sink: any DiskSink) throws(SystemError) {
        precondition(self.reactor == nil, "the disk was started before")
        self.reactor = reactor
        self.sink = sink
        registration = try reactor.register(
            completions.waker.descriptor, interest: .readable, handler: Receiver(self))
    }

    /// From now on each sync takes so much longer.
    package func slowSyncs(by pause: Interval) {
        slowness.set(pause)
    }

    /// Finishes what was submitted, ends the threads and gives the lock back. Nobody is told any
    /// more, but `drain` still gives what completed. Nothing may be submitted afterwards.
    package func close() {
        for lane in lanes { lane.close() }
        for thread in threads { thread.join() }
        threads = []
        if let registration { reactor?.remove(registration) }
        registration = nil
        sink = nil
        files.unlock()
    }

    /// The completions that nobody was told of, in the order in which they happened.
    package func drain() -> [DiskInput] {
        completions.waker.clear()
        return completions.take()
    }

    // MARK: - Disk

    package func list() throws(DiskError) -> [String] {
        try files.list()
    }

    package func byteCount(of file: String) throws(DiskError) -> Int {
        try files.byteCount(of: file)
    }

    package func read(_ file: String, at offset: Int, count: Int) throws(DiskError) -> [UInt8] {
        try files.read(file, at: offset, count: count)
    }

    package func submit(_ operation: DiskOperation, lane: DiskLane, tag: UInt64) {
        lanes[lane.rawValue].submit(operation, tag: tag)
    }

    /// The reactor holds this instead of the disk, which would otherwise never end by itself.
    private final class Receiver: ReactorHandler {
        private weak var disk: FileDisk?

        init(_ disk: FileDisk) {
            self.disk = disk
        }

        func ready(_ readiness: Readiness) {
            guard let disk else { return }
            for input in disk.drain() { disk.sink?.receive(input) }
        }
    }
}

/// Why a data directory could not be taken.
package enum FileDiskFault: Error, Equatable, Sendable, CustomStringConvertible {
    case notADirectory(path: String)
    case notWritable(path: String, SystemError)
    /// Another process has it.
    case locked(path: String)
    case failed(path: String, SystemError)

    package var description: String {
        switch self {
        case .notADirectory(let path): "\(path) is not a directory"
        case .notWritable(let path, let error): "\(path) is not writable: \(error)"
        case .locked(let path): "\(path) is locked by another process"
        case .failed(let path, let error): "\(path): \(error)"
        }
    }
}
