/// Takes apart what the kernel says about processes in /proc.
package enum ProcessText {
    /// Field 22 of `/proc/PID/stat`, in clock ticks since boot. The name, field 2, may hold spaces
    /// and parentheses.
    package static func startTime(stat: String) -> UInt64? {
        guard let end = stat.lastIndex(of: ")") else { return nil }
        let fields = stat[stat.index(after: end)...].split(separator: " ")
        guard fields.count > 19 else { return nil }
        return UInt64(fields[19])
    }

    /// Whose a process is.
    package struct Users: Equatable {
        package var real: UInt32
        package var saved: UInt32

        package init(real: UInt32, saved: UInt32) {
            self.real = real
            self.saved = saved
        }

        /// As the kernel asks of a process that runs under `uid`.
        package func mayBeSignalled(by uid: UInt32) -> Bool {
            uid == 0 || uid == real || uid == saved
        }
    }

    /// The line `Uid:` of `/proc/PID/status`: real, effective, saved, and that of the file system.
    package static func users(status: String) -> Users? {
        let line = status.split(separator: "\n").first { $0.hasPrefix("Uid:") }
        guard let numbers = line?.dropFirst(4).split(whereSeparator: { $0 == "\t" || $0 == " " }),
            numbers.count == 4, let real = UInt32(numbers[0]), let saved = UInt32(numbers[2])
        else { return nil }
        return Users(real: real, saved: saved)
    }

    /// The unit that a process belongs to, by `/proc/PID/cgroup`: the innermost service or scope of
    /// its path, else the path.
    package static func unit(cgroup: String) -> String {
        let lines = cgroup.split(separator: "\n")
        let line =
            lines.first { $0.hasPrefix("0::") } ?? lines.first { $0.contains(":name=systemd:") }
        guard let path = line?.split(separator: ":", maxSplits: 2).last, path.hasPrefix("/") else {
            return ""
        }
        let parts = path.split(separator: "/")
        let unit = parts.last { $0.hasSuffix(".service") || $0.hasSuffix(".scope") }
        return unit.map(String.init) ?? (parts.isEmpty ? "" : String(path))
    }

    /// The first half of `/proc/sys/kernel/random/boot_id`, which is random enough to tell boots
    /// apart.
    package static func bootID(_ text: String) -> UInt64? {
        let digits = text.filter { $0.isHexDigit }.prefix(16)
        return digits.count == 16 ? UInt64(digits, radix: 16) : nil
    }
}
