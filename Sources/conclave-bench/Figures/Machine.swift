import CConclaveLinux
import Glibc

/// What the machine is, and what it can do just now.
enum Machine {
    static var now: UInt64 { conclave_linux_boot_time() }

    /// CPU seconds of this process so far.
    static var ownCPU: Double {
        var time = timespec()
        _ = unsafe clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    static var description: [Field] {
        let memory = TextFile.field("MemTotal:", in: "/proc/meminfo") ?? 0
        return [
            Field("version", .text("0.1.0")),
            Field("kernel", .text(TextFile.read("/proc/sys/kernel/osrelease").trimmed)),
            Field("cpus", .count(Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))),
            Field("mem_mib", .count(memory / 1_024)),
            Field(
                "load1",
                .number(
                    TextFile.read("/proc/loadavg").split(separator: " ").first
                        .flatMap { Double($0) } ?? 0)),
        ]
    }

    /// The type of the file system that `directory` lies in.
    static func fileSystem(of directory: String) -> String {
        var found = (point: "", type: "?")
        for line in TextFile.read("/proc/self/mounts").split(separator: "\n") {
            let fields = line.split(separator: " ")
            guard fields.count > 2, fields[1].count >= found.point.count else { continue }
            let point = fields[1] == "/" ? "" : String(fields[1])
            if directory == point || directory.hasPrefix("\(point)/") {
                found = (point, String(fields[2]))
            }
        }
        return found.type
    }

    /// Medians taken just before a measure: a durable 4 KiB append in `directory`, and a round trip
    /// over a Unix socket.
    static func calibrate(_ directory: String) -> [Field] {
        [syncTime(directory), Field("uds_us", .number(medianRoundTrip() / 1e3))]
    }

    static func syncTime(_ directory: String) -> Field {
        Field("fsync_us", .number(medianSync(directory) / 1e3))
    }

    private static let calibration: UInt64 = 300_000_000

    private static func medianSync(_ directory: String) -> Double {
        let path = "\(directory)/calibration-\(getpid())"
        let file = unsafe open(path, O_CREAT | O_WRONLY | O_CLOEXEC | O_APPEND, 0o600)
        guard file >= 0 else { return 0 }
        defer {
            close(file)
            _ = unsafe unlink(path)
        }
        let block = [UInt8](repeating: 7, count: 4_096)
        return medianTime {
            _ = unsafe block.withUnsafeBytes { unsafe write(file, $0.baseAddress, $0.count) }
            fdatasync(file)
        }
    }

    private static func medianRoundTrip() -> Double {
        var ends: [Int32] = [0, 0]
        guard unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0 else {
            return 0
        }
        let other = ends[1]
        var thread = pthread_t()
        let context = unsafe UnsafeMutableRawPointer(bitPattern: Int(other) + 1)
        _ = unsafe pthread_create(
            &thread, nil,
            { context in
                let descriptor = Int32(Int(bitPattern: context) - 1)
                var byte: UInt8 = 0
                while unsafe read(descriptor, &byte, 1) == 1 {
                    _ = unsafe write(descriptor, &byte, 1)
                }
                return nil
            }, context)
        var byte: UInt8 = 1
        let median = medianTime {
            _ = unsafe write(ends[0], &byte, 1)
            _ = unsafe read(ends[0], &byte, 1)
        }
        close(ends[0])
        pthread_join(thread, nil)
        close(other)
        return median
    }

    private static func medianTime(_ body: () -> Void) -> Double {
        var samples = Samples()
        let end = now + calibration
        var start = now
        while start < end {
            body()
            let next = now
            samples.add(from: start, to: next)
            start = next
        }
        return samples.percentile(50)
    }
}

enum TextFile {
    /// At most 64 KiB of a file, from `offset` on; empty if it cannot be read.
    static func read(_ path: String, from offset: Int = 0) -> String {
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return "" }
        defer { close(file) }
        if offset > 0 { lseek(file, offset, SEEK_SET) }
        var bytes = [UInt8](repeating: 0, count: 65_536)
        let count = unsafe Glibc.read(file, &bytes, bytes.count)
        return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
    }

    static func length(_ path: String) -> Int {
        var state = stat()
        return unsafe stat(path, &state) == 0 ? Int(state.st_size) : 0
    }

    /// The number behind `name` at the beginning of a line.
    static func field(_ name: String, in path: String) -> Int? {
        for line in read(path).split(separator: "\n") where line.hasPrefix(name) {
            return Int(
                line.dropFirst(name.count).split(whereSeparator: \.isWhitespace).first ?? "")
        }
        return nil
    }
}

extension String {
    var trimmed: String { String(split(whereSeparator: \.isWhitespace).joined(separator: " ")) }
}

/// What processes have used.
struct Processes: Sendable {
    var ids: [Int32]

    /// User and system CPU seconds, of all threads, so far.
    var cpu: Double {
        ids.reduce(0) { sum, id in
            let text = TextFile.read("/proc/\(id)/stat")
            guard let end = text.lastIndex(of: ")") else { return sum }
            let fields = text[text.index(after: end)...].split(separator: " ")
            guard fields.count > 12, let user = Double(fields[11]), let system = Double(fields[12])
            else { return sum }
            return sum + (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
        }
    }

    /// Resident memory in MiB.
    var residentMemory: Double {
        ids.reduce(0) { sum, id in
            sum + Double(TextFile.field("VmRSS:", in: "/proc/\(id)/status") ?? 0) / 1_024
        }
    }
}
