import ConclaveBase
import ConclaveWire
import Testing

@Suite struct `The checksum` {
    @Test func `it is CRC-32C`() {
        #expect(Checksum.of(Array("123456789".utf8)) == 0xE306_9283)
    }

    /// RFC 3720, appendix B.4.
    @Test func `the vectors of RFC 3720 come out`() {
        #expect(Checksum.of(Array(repeating: 0, count: 32)) == 0x8A91_36AA)
        #expect(Checksum.of(Array(repeating: 0xFF, count: 32)) == 0x62A8_AB43)
        #expect(Checksum.of(Array(0..<32)) == 0x46DD_794E)
        #expect(Checksum.of(Array((0..<32).reversed())) == 0x113F_DB5C)
    }

    /// Of all lengths and places about the eight bytes of a step, and of one of many steps.
    @Test func `the processor and the tables come to the same`() {
        var random = SeededRandom(seed: 7)
        let bytes = (0..<4_096).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        for start in 0..<16 {
            for end in Array(start...64) + [4_095, 4_096] {
                let byTables = bytes[start..<end].withUnsafeBytes { ChecksumTables.update(~0, $0) }
                #expect(Checksum.of(bytes[start..<end]) == ~byTables)
            }
        }
    }

    @Test func `nothing has the checksum of nothing`() {
        #expect(Checksum.of([UInt8]()) == 0)
    }

    @Test(arguments: 0..<40)
    func `it does not matter how the bytes are cut`(cut: Int) {
        var random = SeededRandom(seed: 5)
        let bytes = (0..<40).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        var checksum = Checksum()
        Array(bytes[..<cut]).withUnsafeBytes { checksum.update($0) }
        Array(bytes[cut...]).withUnsafeBytes { checksum.update($0) }
        #expect(checksum.value == Checksum.of(bytes))
        #expect(Checksum.of(bytes[cut...]) == Checksum.of(Array(bytes[cut...])))
    }

    @Test func `each single flipped bit is noticed`() {
        let bytes = Array("a record of the journal".utf8)
        for bit in 0..<(bytes.count * 8) {
            var flipped = bytes
            flipped[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(Checksum.of(flipped) != Checksum.of(bytes))
        }
    }
}
