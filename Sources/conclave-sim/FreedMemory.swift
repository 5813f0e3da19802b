import CConclaveLinux

/// Worlds take and free the same large pieces again and again: tables, files, frames.
enum FreedMemory {
    /// What is freed is not given back to the system, which would have to clear it each time that it
    /// is taken again.
    static func keep() {
        _ = conclave_linux_set_mmap_threshold(32 << 20)
        _ = conclave_linux_set_trim_threshold(1 << 30)
    }
}
