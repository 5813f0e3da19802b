package import ConclaveReactor
import Glibc
import Synchronization

/// Lines on their way to a descriptor that somebody may not read.
///
/// `append` never waits: what does not fit any more is counted and dropped, and the next line that
/// comes out says how many were.
package final class LogQueue: Sendable {
    private struct State {
        var bytes: [UInt8] = []
        var droppedCount = 0
        var isClosing = false
    }

    private let maximumByteCount: Int
    private let state = Mutex(State())
    private let waker: Waker

    package init(maximumByteCount: Int = 1 << 20) throws(SystemError) {
        self.maximumByteCount = maximumByteCount
        waker = try Waker(.waitedFor)
    }

    /// From any thread. `line` ends with a line feed.
    package func append(_ line: [UInt8]) {
        let maximum = maximumByteCount
        state.withLock {
            if $0.bytes.count + line.count > maximum {
                $0.droppedCount += 1
            } else {
                $0.bytes.append(contentsOf: line)
            }
        }
        waker.wake()
    }

    fileprivate func close() {
        state.withLock { $0.isClosing = true }
        waker.wake()
    }

    /// Waits for lines; nothing once it was closed and everything was taken.
    fileprivate func take() -> [UInt8]? {
        while true {
            let (bytes, isClosing) = state.withLock { state in
                var bytes: [UInt8] = []
                swap(&bytes, &state.bytes)
                if state.droppedCount > 0 {
                    let line =
                        "<4>log lines were dropped: nobody read them count=\(state.droppedCount)\n"
                    bytes.append(contentsOf: line.utf8)
                    state.droppedCount = 0
                }
                return (bytes, state.isClosing)
            }
            if !bytes.isEmpty { return bytes }
            if isClosing { return nil }
            waker.wait()
        }
    }
}

/// The thread that writes a queue's lines. A reader that stops reading blocks only this thread.
package final class LogWriter {
    private let queue: LogQueue
    private let finished: Waker
    /// It runs to its end or to the end of the process.
    private let thread: WorkerThread

    /// `descriptor` stays the caller's, and open until everything was written.
    package init(_ queue: LogQueue, descriptor: Int32 = STDERR_FILENO) throws(SystemError) {
        let finished = try Waker()
        self.queue = queue
        self.finished = finished
        thread = try WorkerThread(name: "log") {
            while let bytes = queue.take() { Self.write(bytes, to: descriptor) }
            finished.wake()
        }
    }

    /// Has everything written that was appended, if that succeeds in time.
    package func finish(withinMilliseconds timeout: Int32 = 500) {
        queue.close()
        var waiting = pollfd(fd: finished.descriptor.number, events: Int16(POLLIN), revents: 0)
        _ = unsafe poll(&waiting, 1, timeout)
    }

    private static func write(_ bytes: [UInt8], to descriptor: Int32) {
        var start = 0
        while start < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { all in
                unsafe Glibc.write(descriptor, all.baseAddress! + start, all.count - start)
            }
            if count >= 0 {
                start += count
            } else if errno == EAGAIN {
                var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                _ = unsafe poll(&waiting, 1, -1)
            } else if errno != EINTR {
                return
            }
        }
    }
}
