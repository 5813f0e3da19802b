import CConclaveLinux
import Glibc

/// What this host says of how far a daemon and its clients can rely on it.
struct HostExamination {
    /// As the kernel tells it.
    struct Facts: Equatable {
        /// Of `/proc/cpuinfo`: it is a virtual machine.
        var hasHypervisor = false
        /// `nil`: it cannot be read.
        var clockSource: String?
        /// The kernel's state of the wall clock says that nothing steers it; `nil`: it does not say.
        var isClockSteered: Bool?
        var hasGroupConclave = false
        /// Whether the caller is root, or in the group `conclave`.
        var mayUseGroupSocket = false
        /// Used of it, in bytes.
        var swapUsed: UInt64 = 0
    }

    private let facts: Facts

    init(_ facts: Facts) {
        self.facts = facts
    }

    var findings: [Finding] {
        [clockSource, wallClock, hypervisor, access, swap].compactMap { $0 }
    }

    /// Whose reading costs a system call, or is coarse.
    private static let poorClockSources: Set<String> = ["acpi_pm", "hpet", "jiffies", "pit"]

    private var clockSource: Finding? {
        guard let source = facts.clockSource else { return nil }
        guard Self.poorClockSources.contains(source) else {
            return Finding(.good, "clock", "the kernel counts time by \(source.shown)")
        }
        return Finding(
            .warning, "clock", "the kernel counts time by \(source.shown), which is slow to read",
            advice:
                "the kernel has found the processor's own counter wanting: see 'dmesg | grep -i tsc'"
        )
    }

    private var wallClock: Finding? {
        switch facts.isClockSteered {
        case nil: nil
        case true?: Finding(.good, "wall clock", "is steered by a time service")
        case false?:
            Finding(
                .note, "wall clock", "no time service steers it",
                advice:
                    "nothing expires by it, but histories and logs are told in its time: run chrony "
                    + "or systemd-timesyncd")
        }
    }

    private var hypervisor: Finding? {
        guard facts.hasHypervisor else { return nil }
        return Finding(
            .note, "hypervisor",
            "this is a virtual machine: whoever stops its clock, or sets it back to a snapshot, "
                + "leaves holders that believe in what others have by now",
            advice: "give each write its token, and have what is written to refuse an older one")
    }

    private var access: Finding {
        guard facts.hasGroupConclave else {
            return Finding(
                .note, "access",
                "there is no group 'conclave': only the daemon's user may use its "
                    + "socket",
                advice: "'groupadd --system conclave', add who may use it, restart conclaved")
        }
        guard facts.mayUseGroupSocket else {
            return Finding(
                .warning, "access", "you are not in the group 'conclave'",
                advice: "'usermod -aG conclave $USER', and log in again")
        }
        return Finding(.good, "access", "you may use the socket of the group 'conclave'")
    }

    private var swap: Finding? {
        guard facts.swapUsed > 0 else { return nil }
        return Finding(
            .note, "swap", "\(facts.swapUsed >> 20) MiB of this host's memory are swapped out",
            advice:
                "a daemon that is swapped in is late, and may be suspected: 'MemorySwapMax=0' in its "
                + "unit keeps it in memory")
    }
}

extension HostExamination.Facts {
    static func read() -> Self {
        var facts = Self()
        facts.hasHypervisor =
            lines(of: "/proc/cpuinfo").first { $0.hasPrefix("flags") }?
            .split(separator: " ").contains("hypervisor") ?? false
        facts.clockSource =
            lines(of: "/sys/devices/system/clocksource/clocksource0/current_clocksource").first
            .map { String($0) }
        let isSteered = conclave_linux_wall_clock_is_steered()
        if isSteered >= 0 { facts.isClockSteered = isSteered == 1 }
        let memory = lines(of: "/proc/meminfo")
        facts.swapUsed = kibibytes("SwapTotal:", memory) - kibibytes("SwapFree:", memory)
        if let group = unsafe getgrnam("conclave") {
            facts.hasGroupConclave = true
            let number = unsafe group.pointee.gr_gid
            facts.mayUseGroupSocket = geteuid() == 0 || isMember(of: number)
        }
        return facts
    }

    private static func isMember(of group: gid_t) -> Bool {
        guard getegid() != group else { return true }
        var groups = [gid_t](repeating: 0, count: 65_536)
        let count = unsafe getgroups(Int32(groups.count), &groups)
        return groups.prefix(max(0, Int(count))).contains(group)
    }

    /// In bytes.
    private static func kibibytes(_ name: String, _ lines: [Substring]) -> UInt64 {
        let line = lines.first { $0.hasPrefix(name) }
        let number = line?.split(separator: " ").dropFirst().first.flatMap { UInt64($0) }
        return (number ?? 0) << 10
    }

    /// Empty if it cannot be read.
    private static func lines(of path: String) -> [Substring] {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return [] }
        defer { close(descriptor) }
        var text: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 16_384)
        while text.count < 1 << 20 {
            let count = unsafe Glibc.read(descriptor, &piece, piece.count)
            guard count > 0 else { break }
            text += piece.prefix(count)
        }
        return String(decoding: text, as: UTF8.self).split(separator: "\n")
    }
}
