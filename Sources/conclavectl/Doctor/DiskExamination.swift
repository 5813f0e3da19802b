import Conclave
import Glibc

/// How fast a directory's disk keeps what it is given: it makes a file, writes to it and syncs it some
/// times over, and removes it.
struct DiskExamination {
    static let syncCount = 64
    private static let recordByteCount = 4_096

    /// From the fastest to the slowest.
    let times: [Duration]

    init(times: [Duration]) {
        self.times = times.sorted()
    }

    init(directory: String) throws(SystemFailure) {
        let path = "\(directory)/.conclave-doctor-\(getpid())"
        let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw SystemFailure("cannot make a file in \(directory)") }
        defer {
            close(descriptor)
            unsafe unlink(path)
        }
        // As the journal does it, into what is there already: a file that grows takes longer.
        let record = [UInt8](repeating: 0x5A, count: Self.recordByteCount)
        let whole = [UInt8](repeating: 0, count: Self.recordByteCount * Self.syncCount)
        guard unsafe pwrite(descriptor, whole, whole.count, 0) == whole.count,
            fsync(descriptor) == 0
        else { throw SystemFailure("cannot write to \(directory)") }
        let clock = ContinuousClock()
        var times: [Duration] = []
        for place in 0..<Self.syncCount {
            let start = clock.now
            let offset = off_t(place * record.count)
            let count = unsafe pwrite(descriptor, record, record.count, offset)
            guard count == record.count, fdatasync(descriptor) == 0 else {
                throw SystemFailure("cannot write to \(directory), or sync what was written")
            }
            times.append(start.duration(to: clock.now))
        }
        self.init(times: times)
    }

    /// - Parameter stall: After which the group gives a member up whose disk hangs.
    func findings(stall: Duration?) -> [Finding] {
        guard let slowest = times.last else { return [] }
        let median = times[times.count / 2]
        let figures =
            "a write and its sync take \(median.fine), the slowest of \(times.count) "
            + slowest.fine
        if let stall, slowest > stall / 4 {
            return [
                Finding(
                    .warning, "disk", figures,
                    advice:
                        "a member whose disk hangs for \(stall.exact) is put out of the view: give "
                        + "the journal a faster disk, or raise 'timing.stall'")
            ]
        }
        guard median < .milliseconds(10) else {
            return [
                Finding(
                    .warning, "disk", figures,
                    advice:
                        "every acknowledged request waits for one: give the journal a disk that "
                        + "syncs faster")
            ]
        }
        // Faster than any disk says that it is kept: nothing was.
        guard median >= .microseconds(5) else {
            return [
                Finding(
                    .warning, "disk", "\(figures): nothing is kept on a disk there",
                    advice:
                        "a data directory in memory is lost with the power; 'durability: memory' "
                        + "says so openly")
            ]
        }
        return [Finding(.good, "disk", figures)]
    }
}

extension Duration {
    /// In microseconds or milliseconds.
    fileprivate var fine: String {
        let (seconds, attoseconds) = components
        let microseconds = seconds * 1_000_000 + attoseconds / 1_000_000_000_000
        return microseconds < 10_000
            ? "\(microseconds) us" : "\(microseconds / 1_000) ms"
    }
}
