import CConclaveLinux
import ConclaveBase
import Glibc
import Synchronization

/// Until when the session is valid (K3), as its daemon shows it in shared memory.
///
/// Reading takes no lock and no system call but the clock's, works while the daemon hangs, and
/// turns false by itself. A daemon that restarts brings a new page: it takes the place of the old
/// one in the same addresses, so that a reader at work never reads memory that is gone.
@safe
final class ValidityPage: Sendable {
    /// Address space kept for the page: 65,536 sessions. Memory is taken only for what is there.
    private static let reservedByteCount = 4 << 20
    private static let slotByteCount = 64

    private let start: UInt
    private let slot = Atomic<UInt>(0)
    private let session = Atomic<UInt64>(0)
    /// How often a page was taken over, twice; odd while one is being taken over.
    private let generation = Atomic<UInt64>(0)
    /// The newest generation in which the slot named the session.
    private let namedIn = Atomic<UInt64>(0)
    /// The deadline read last; `notYet` before the first. It stands while a new page does not name
    /// the session yet and while a writer is stopped halfway: a deadline once shown is only taken
    /// back by showing that.
    private let lastKnown = Atomic<UInt64>(notYet)
    private let isOver = Atomic<Bool>(false)
    /// Which file is mapped.
    private let file = Mutex<FileID?>(nil)

    private struct FileID: Equatable {
        let device: UInt64
        let inode: UInt64
    }

    private static let notYet = UInt64.max

    init() {
        let memory = unsafe mmap(
            nil, Self.reservedByteCount, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
            -1, 0)
        precondition(unsafe memory != MAP_FAILED, "no 4 MiB of address space are left")
        start = UInt(bitPattern: memory)
    }

    deinit {
        unsafe munmap(UnsafeMutableRawPointer(bitPattern: start)!, Self.reservedByteCount)
    }

    /// Takes over the page behind `descriptor`, which stays the caller's. Whoever reads meanwhile finds what
    /// was known last: where nothing changes nothing is taken over, so that what the daemon takes back is
    /// seen at once.
    func adopt(
        _ descriptor: Int32, slot newSlot: UInt32, session newSession: SessionID
    ) throws(SystemError) {
        var about = stat()
        guard unsafe fstat(descriptor, &about) == 0 else { throw SystemError(number: errno) }
        let byteCount = min(Int(about.st_size), Self.reservedByteCount)
        guard (Int(newSlot) + 1) * Self.slotByteCount <= byteCount else {
            throw SystemError(number: ERANGE)
        }
        let newFile = FileID(device: UInt64(about.st_dev), inode: UInt64(about.st_ino))
        let isKnown =
            file.withLock { $0 == newFile }
            && slot.load(ordering: .acquiring) == UInt(newSlot)
            && session.load(ordering: .acquiring) == newSession.number
        guard !isKnown else { return }
        _ = deadline
        generation.wrappingAdd(1, ordering: .acquiringAndReleasing)
        defer { generation.wrappingAdd(1, ordering: .acquiringAndReleasing) }
        let place = unsafe UnsafeMutableRawPointer(bitPattern: start)
        let memory = unsafe mmap(place, byteCount, PROT_READ, MAP_SHARED | MAP_FIXED, descriptor, 0)
        guard unsafe memory != MAP_FAILED else { throw SystemError(number: errno) }
        slot.store(UInt(newSlot), ordering: .releasing)
        session.store(newSession.number, ordering: .releasing)
        file.withLock { $0 = newFile }
    }

    /// From now on nothing is valid, whatever the page says (K5).
    func end() {
        isOver.store(true, ordering: .releasing)
    }

    /// The deadline shown; `nil`: none was shown yet. `.distantPast`: it was taken back.
    var deadline: Instant? {
        guard !isOver.load(ordering: .acquiring) else { return .distantPast }
        let known = lastKnown.load(ordering: .acquiring)
        let old = known == Self.notYet ? nil : Instant(nanoseconds: known)
        let before = generation.load(ordering: .acquiring)
        guard before != 0, before & 1 == 0, let shown = read(slot.load(ordering: .acquiring)) else {
            return old
        }
        guard generation.load(ordering: .acquiring) == before else { return old }
        guard shown.session == session.load(ordering: .acquiring) else {
            return namedIn.load(ordering: .acquiring) == before ? .distantPast : old
        }
        if namedIn.load(ordering: .relaxed) != before { namedIn.max(before, ordering: .releasing) }
        if shown.deadline != known { lastKnown.store(shown.deadline, ordering: .releasing) }
        return Instant(nanoseconds: shown.deadline)
    }

    /// A consistent pair, by the sequence that is odd while the daemon writes; `nil` if it stays
    /// odd: the daemon was stopped or killed while writing.
    private func read(_ slot: UInt) -> (session: UInt64, deadline: UInt64)? {
        let address = start + slot * UInt(Self.slotByteCount)
        let cells = unsafe UnsafePointer<UInt64>(bitPattern: address)!
        for _ in 0..<1_000 {
            let before = unsafe conclave_linux_load_acquire(cells)
            let session = unsafe conclave_linux_load_relaxed(cells + 1)
            let deadline = unsafe conclave_linux_load_relaxed(cells + 2)
            conclave_linux_fence_acquire()
            let after = unsafe conclave_linux_load_relaxed(cells)
            if before == after, before & 1 == 0 { return (session, deadline) }
        }
        return nil
    }
}
