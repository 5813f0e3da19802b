import CConclaveLinux
import ConclaveBase
import ConclaveSimulation
import Glibc
import Synchronization

/// The clock of all times in a history: one for all processes of a machine.
enum HistoryClock {
    static var nanoseconds: UInt64 { conclave_linux_boot_time() }
}

/// Each event is a line of its own, written at once and whole: what a process that is killed had
/// begun is in its file.
final class HistoryFile: Sendable {
    struct Failure: Error, CustomStringConvertible {
        var path: String
        var number: Int32

        var description: String { "\(path) cannot be written: error \(number)" }
    }

    private let path: String
    private let descriptor: Int32
    private let processNumber: Atomic<UInt64>

    /// - Parameter firstProcess: From here on the processes of this file are numbered.
    init(path: String, firstProcess: UInt64) throws(Failure) {
        self.path = path
        descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        processNumber = Atomic(firstProcess)
        guard descriptor >= 0 else { throw Failure(path: path, number: errno) }
    }

    deinit {
        close(descriptor)
    }

    func nextProcess() -> UInt64 {
        processNumber.wrappingAdd(1, ordering: .relaxed).oldValue
    }

    /// A history with a gap proves nothing: without room for it the program ends.
    func write(_ event: HistoryEvent) {
        let line = Array((event.line + "\n").utf8)
        let count = line.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
        precondition(count == line.count, "\(path) took \(count) bytes of \(line.count)")
    }
}
