import CConclaveLinux
import ConclaveBase
import ConclaveReactor
import Glibc

/// Writing whole sectors past the page cache: what a sync covers goes to the disk once, and the sync has
/// next to nothing left to do. Three journals on one disk, 2.5 KiB at a time: 130 instead of 165 us each
/// (p99 0.3 instead of 5 ms), at half the CPU time.
extension FileStore {
    private static let sectorByteCount = 512
    /// What every device is content with.
    private static let alignment = 4_096

    /// False: nothing was written, and it must go through the cache. So it is for parts of sectors, for
    /// file systems that have no other way, and for devices with larger sectors.
    ///
    /// No two threads may write one file at the same time.
    static func writePastCache(
        _ bytes: [UInt8], to descriptor: Descriptor, at offset: Int, _ file: String
    ) throws(DiskError) -> Bool {
        let isWhole = !bytes.isEmpty && (bytes.count | offset) % sectorByteCount == 0
        guard conclave_linux_set_direct(descriptor.number, isWhole ? 1 : 0) == 0, isWhole else {
            return false
        }
        let aligned = UnsafeMutableRawBufferPointer.allocate(
            byteCount: bytes.count, alignment: alignment)
        defer { unsafe aligned.deallocate() }
        unsafe aligned.copyBytes(from: bytes)
        var done = 0
        while done < aligned.count {
            let rest = unsafe UnsafeRawBufferPointer(rebasing: aligned[done...])
            let written = unsafe pwrite(
                descriptor.number, rest.baseAddress, rest.count, offset + done)
            if written > 0 {
                done += written
            } else if written < 0, errno == EINTR {
                continue
            } else if written < 0, errno != EINVAL {
                throw error(file, errno)
            } else {
                // What was written of it is written again, with the rest.
                _ = conclave_linux_set_direct(descriptor.number, 0)
                return false
            }
        }
        return true
    }
}
