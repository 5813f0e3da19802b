import ConclaveBase
import ConclaveWire
import Testing

@Suite struct `Bounds` {
    private func decode<Value>(
        _ bytes: [UInt8], _ decode: (inout ByteReader) throws -> Value
    ) throws -> Value {
        var reader = ByteReader(bytes)
        return try decode(&reader)
    }

    private func arrival(_ change: (inout BarrierArrival) -> Void) throws -> [UInt8] {
        var arrival = BarrierArrival(name: try ObjectName("b"), parties: 4)
        change(&arrival)
        var writer = ByteWriter()
        arrival.encode(into: &writer)
        return writer.bytes
    }

    @Test func `a barrier of nobody, or of too many, is refused`() throws {
        let nobody = try arrival { $0.parties = 0 }
        #expect(throws: WireError.invalid(field: "parties", reason: "must not be 0")) {
            try decode(nobody) { try BarrierArrival(from: &$0) }
        }
        let crowd = try arrival { $0.parties = ClientLimits.barrierParties + 1 }
        #expect(throws: WireError.outOfRange(field: "parties", value: 10_001, maximum: 10_000)) {
            try decode(crowd) { try BarrierArrival(from: &$0) }
        }
    }

    @Test func `a rank outside the parties is refused`() throws {
        let bytes = try arrival { $0.rank = 4 }
        #expect(throws: WireError.outOfRange(field: "rank", value: 4, maximum: 3)) {
            try decode(bytes) { try BarrierArrival(from: &$0) }
        }
    }

    @Test func `a payload is taken up to its limit and no further`() throws {
        let largest = try arrival { $0.payload = Array(repeating: 1, count: 4_096) }
        #expect(try decode(largest) { try BarrierArrival(from: &$0) }.payload.count == 4_096)
        let larger = try arrival { $0.payload = Array(repeating: 1, count: 4_097) }
        #expect(throws: WireError.outOfRange(field: "payload", value: 4_097, maximum: 4_096)) {
            try decode(larger) { try BarrierArrival(from: &$0) }
        }
    }

    @Test func `names are refused with their fault`() {
        func name(_ text: String) throws {
            var writer = ByteWriter()
            writer.text(text)
            _ = try decode(writer.bytes) { try $0.name("name") }
        }
        #expect(throws: WireError.invalid(field: "name", reason: "is empty")) { try name("") }
        #expect(throws: WireError.outOfRange(field: "name", value: 256, maximum: 255)) {
            try name(String(repeating: "x", count: 256))
        }
        #expect(
            throws: WireError.invalid(field: "name", reason: "has a control character at byte 1")
        ) { try name("a\tb") }
    }

    @Test func `text that is not UTF-8 is refused`() {
        #expect(throws: WireError.notText(field: "label")) {
            try decode([2, 0, 0xC3, 0x28]) { try $0.text("label", maximum: 255) }
        }
    }

    @Test func `a bare number makes nobody reserve memory`() {
        var writer = ByteWriter()
        writer.count(90_000)
        #expect(throws: WireError.truncated(field: "things", needed: 90_000, got: 0)) {
            try decode(writer.bytes) { try $0.count("things", maximum: 100_000) }
        }
        #expect(throws: WireError.outOfRange(field: "things", value: 90_000, maximum: 64)) {
            try decode(writer.bytes) { try $0.count("things", maximum: 64) }
        }
    }

    @Test func `a flag is 0 or 1, a choice one of its cases`() {
        #expect(throws: WireError.unknown(field: "try", value: 2)) {
            try decode([2]) { try $0.flag("try") }
        }
        #expect(throws: WireError.unknown(field: "mode", value: 4)) {
            try decode([4]) { try LockMode(from: &$0) }
        }
    }

    @Test func `no permits, and more than there are, are no request for permits`() {
        #expect(throws: WireError.invalid(field: "permits", reason: "must not be 0")) {
            try decode([3, 0, 0, 0, 0, 0]) { try LockMode(from: &$0) }
        }
        #expect(throws: WireError.outOfRange(field: "permits", value: 3, maximum: 2)) {
            try decode([3, 3, 0, 0, 0, 1, 2, 0, 0, 0]) { try LockMode(from: &$0) }
        }
        var writer = ByteWriter()
        writer.text("a")
        writer.integer(UInt32(0))
        #expect(throws: WireError.invalid(field: "limit", reason: "must not be 0")) {
            try decode(writer.bytes) { try Operation.decode(.limit, from: &$0) }
        }
    }

    @Test func `a frame type that is no operation is none`() throws {
        #expect(try decode([]) { try Operation.decode(.hello, from: &$0) } == nil)
    }

    @Test func `text too long for its length is cut at a character`() throws {
        var writer = ByteWriter()
        writer.text(String(repeating: "ü", count: 40_000))
        let text = try decode(writer.bytes) { try $0.text("text", maximum: Int(UInt16.max)) }
        #expect(text == String(repeating: "ü", count: 32_767))
    }

    @Test func `a text is cut before the character that does not fit`() {
        #expect(ByteWriter.cut("aüe\u{301}", toByteCount: 6) == "aüe\u{301}")
        #expect(ByteWriter.cut("aüe\u{301}", toByteCount: 5) == "aü")
        #expect(ByteWriter.cut("aüe\u{301}", toByteCount: 2) == "a")
        #expect(ByteWriter.cut("ü", toByteCount: 1) == "")
        #expect(ByteWriter.cut("", toByteCount: 0) == "")
    }

    @Test func `a ttl travels in milliseconds and is cut off, not wrapped`() throws {
        var writer = ByteWriter()
        OpenRequest(id: Secret(high: 1, low: 2), ttl: .seconds(1 << 40), label: "")
            .encode(into: &writer)
        let open = try decode(writer.bytes) { try OpenRequest(from: &$0) }
        #expect(open.ttl == .milliseconds(Int64(UInt32.max)))
    }

    @Test func `integers are little-endian`() {
        var writer = ByteWriter()
        writer.integer(0x0102_0304 as UInt32)
        writer.patch(0xAABB as UInt16, at: 1)
        #expect(writer.bytes == [4, 0xBB, 0xAA, 1])
    }

    @Test func `a part is read within its own bytes only`() throws {
        var reader = ByteReader([1, 2, 3, 4, 5], in: 1..<5)
        var part = try reader.part("part", count: 2)
        #expect(part.rest() == [2, 3])
        #expect(part.remaining == 0)
        #expect(reader.rest() == [4, 5])
        #expect(throws: WireError.truncated(field: "part", needed: -1, got: 0)) {
            try reader.part("part", count: -1)
        }
    }

    @Test func `a transaction and a value are taken up to their limits and no further`() throws {
        let key = try ObjectName("k")
        func transaction(_ operations: [KeyOperation], _ compares: [KeyCompare] = []) throws {
            var writer = ByteWriter()
            KeyTransaction(compares: compares, operations: operations).encode(into: &writer)
            _ = try decode(writer.bytes) { try KeyTransaction(from: &$0) }
        }
        let value = [UInt8](repeating: 1, count: 64 * 1_024)
        try transaction([.put(key, value: value, isEphemeral: false)])
        #expect(throws: WireError.outOfRange(field: "value", value: 65_537, maximum: 65_536)) {
            try transaction([.put(key, value: value + [1], isEphemeral: false)])
        }
        try transaction(
            Array(repeating: .delete(key), count: 128),
            Array(repeating: KeyCompare(key, .absent), count: 128))
        #expect(throws: WireError.outOfRange(field: "operations", value: 129, maximum: 128)) {
            try transaction(Array(repeating: .delete(key), count: 129))
        }
        #expect(throws: WireError.outOfRange(field: "compares", value: 129, maximum: 128)) {
            try transaction([], Array(repeating: KeyCompare(key, .absent), count: 129))
        }
    }
}
