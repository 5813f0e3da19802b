import Testing

@testable import ConclaveReplication

@Suite struct `Bytes compared many at once` {
    private static let bytes = (0..<1_000).map { UInt8(truncatingIfNeeded: $0 * 7) }

    @Test(arguments: [0, 1, 63, 64, 65, 512, 999])
    func `are the same where they lie`(count: Int) {
        for offset in [0, 1, 1_000 - count] where offset + count <= 1_000 {
            let part = Array(Self.bytes[offset..<offset + count])
            #expect(part.lie(at: offset, in: Self.bytes))
        }
    }

    @Test(arguments: [0, 31, 63, 64, 127, 128, 129])
    func `differ by any one byte`(place: Int) {
        var part = Array(Self.bytes[100..<230])
        part[place] ^= 1
        #expect(!part.lie(at: 100, in: Self.bytes))
    }

    @Test(arguments: [0, 1, 64, 4_095]) func `are not all zero for one byte`(place: Int) {
        var bytes = [UInt8](repeating: 0, count: 4_097)
        #expect(Sector.isZero(bytes[1...]))
        bytes[place] = 1
        #expect(Sector.isZero(bytes[1...]) == (place == 0))
    }
}
