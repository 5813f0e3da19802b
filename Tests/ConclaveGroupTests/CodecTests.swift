import ConclaveBase
import ConclaveGroup
import ConclaveWire
import Testing

@Suite struct `Codecs of the membership` {
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
        for _ in 0..<2_000 {
            let changed = sample.changed(&random)
            guard let recoded = try? sample.recode(changed) else { continue }
            #expect(try sample.recode(recoded) == recoded)
        }
    }

    @Test func `every kind of frame has a sample`() {
        let kinds = Set(Sample.frames.map { $0.bytes[0] })
        #expect(kinds == Set(1...16))
    }

    @Test func `a view without members is refused`() {
        var value = Sample.view
        value.installed.view.members = []
        var writer = ByteWriter()
        value.encode(into: &writer)
        #expect(throws: WireError.invalid(field: "view", reason: "has no members")) {
            var reader = ByteReader(writer.bytes)
            _ = try NextView(from: &reader)
        }
    }

    @Test func `a range that is upside down is refused`() {
        var writer = ByteWriter()
        let frame = MembershipFrame.fill(
            Epoch(1), .none, to: NodeID(1), ranges: [FillRange(sender: 0, ordinals: 3..<9)])
        frame.encode(into: &writer)
        writer.patch(UInt64(10), at: writer.bytes.count - 16)
        #expect(throws: WireError.invalid(field: "range", reason: "is upside down")) {
            var reader = ByteReader(writer.bytes)
            _ = try MembershipFrame(from: &reader)
        }
    }

    @Test func `a round after which there is none is refused`() {
        var writer = ByteWriter()
        writer.ballot(Ballot(round: .max, rank: Rank(0)))
        #expect(throws: WireError.self) {
            var reader = ByteReader(writer.bytes)
            _ = try reader.ballot("ballot")
        }
    }

    @Test func `an epoch after which there is none is refused, and so is the last era`() {
        var late = Sample.view
        late.installed.view.epoch = Epoch(.max)
        var last = Sample.view
        last.era = .max
        for value in [late, last] {
            var writer = ByteWriter()
            value.encode(into: &writer)
            #expect(throws: WireError.self) {
                var reader = ByteReader(writer.bytes)
                _ = try NextView(from: &reader)
            }
        }
    }
}
