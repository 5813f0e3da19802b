import ConclaveBase
import ConclaveNode
import ConclaveReactor
import Glibc
import Testing

@Suite struct `Validity page` {
    private let page: ValidityPage

    init() throws {
        page = try ValidityPage(slotCount: 64)
    }

    /// A slot as a client maps it: sequence, session, deadline.
    private func words(of slot: Int) throws -> [UInt64] {
        let byteCount = page.slotCount * ValidityPage.slotByteCount
        let start = mmap(nil, byteCount, PROT_READ, MAP_SHARED, page.descriptor.number, 0)
        defer { munmap(start, byteCount) }
        let mapped = try #require(start != MAP_FAILED ? start : nil)
        let first = slot * ValidityPage.slotByteCount / 8
        let words = mapped.bindMemory(to: UInt64.self, capacity: byteCount / 8)
        return (first..<(first + 3)).map { words[$0] }
    }

    @Test func `a slot shows its session's deadline under an even sequence`() throws {
        page.show(slot: 3, owner: 77, deadline: Instant(nanoseconds: 1_000))
        #expect(try words(of: 3) == [2, 77, 1_000])
        page.show(slot: 3, owner: 77, deadline: Instant(nanoseconds: 2_000))
        #expect(try words(of: 3) == [4, 77, 2_000])
        #expect(try words(of: 2) == [0, 0, 0])
    }

    @Test func `clients can map it for reading only, and nobody can change its size`() {
        let byteCount = page.slotCount * ValidityPage.slotByteCount
        let number = page.descriptor.number
        #expect(
            mmap(nil, byteCount, PROT_READ | PROT_WRITE, MAP_SHARED, number, 0) == MAP_FAILED)
        #expect(ftruncate(number, 0) == -1)
        #expect(ftruncate(number, byteCount * 2) == -1)
        #expect(write(number, "x", 1) == -1)
    }
}
