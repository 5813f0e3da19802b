import ConclaveBase
import ConclaveWire
import Testing

@Suite struct `Every layout` {
    @Test(arguments: Sample.all)
    func `comes back as it was sent`(sample: Sample) throws {
        #expect(try sample.recode(sample.bytes) == sample.bytes)
    }

    @Test(arguments: Sample.all)
    func `refuses each of its own beginnings`(sample: Sample) {
        for count in sample.bytes.indices {
            #expect(throws: WireError.self, "cut to \(count) bytes") {
                try sample.recode(Array(sample.bytes[..<count]))
            }
        }
    }

    @Test(arguments: Sample.all)
    func `refuses bytes that no field claims`(sample: Sample) {
        #expect(throws: WireError.trailing(byteCount: 1)) {
            try sample.recode(sample.bytes + [0])
        }
    }

    /// What a changed frame decodes to must itself be a value that comes back as it was sent.
    @Test(arguments: Sample.all)
    func `survives random changes`(sample: Sample) throws {
        var random = SeededRandom(seed: UInt64(sample.bytes.count))
        for _ in 0..<3_000 {
            let changed = changed(sample.bytes, &random)
            guard let recoded = try? sample.recode(changed) else { continue }
            #expect(try sample.recode(recoded) == recoded)
        }
    }

    private func changed(_ bytes: [UInt8], _ random: inout SeededRandom) -> [UInt8] {
        var bytes = bytes
        for _ in 0...random.below(3) {
            let place = Int(random.below(UInt64(bytes.count + 1)))
            switch random.below(4) {
            case 0 where place < bytes.count: bytes.remove(at: place)
            case 1: bytes.insert(UInt8(truncatingIfNeeded: random.next()), at: place)
            case 2 where place < bytes.count: bytes[place] = 0xFF
            default:
                if place < bytes.count { bytes[place] ^= 1 << UInt8(random.below(8)) }
            }
        }
        return bytes
    }

    @Test(arguments: Sample.all)
    func `survives bytes of pure chance`(sample: Sample) {
        var random = SeededRandom(seed: 7)
        for _ in 0..<500 {
            let bytes = (0..<random.below(96)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            _ = try? sample.recode(bytes)
        }
    }
}
