/// The fuzzer's bytes as a series of choices. Once they are used up every choice is the first one,
/// so that each input means something, and a change of one byte changes one choice.
struct ByteSource {
    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    var isEmpty: Bool { position == bytes.count }

    mutating func byte() -> UInt8 {
        guard position < bytes.count else { return 0 }
        defer { position += 1 }
        return bytes[position]
    }

    mutating func flag() -> Bool { byte() & 1 == 1 }

    /// A number in `0..<count`.
    mutating func choice(of count: Int) -> Int { Int(byte()) % count }

    mutating func pick<Value>(_ values: [Value]) -> Value { values[choice(of: values.count)] }

    /// All eight bytes of a number, as they stand.
    mutating func word() -> UInt64 {
        (0..<8).reduce(0) { number, _ in number << 8 | UInt64(byte()) }
    }

    /// A number that a decoder or a protocol may stumble over: one that makes sense, one beside it,
    /// a small one, the ends of the range, or any.
    mutating func number(near sensible: [UInt64] = [1]) -> UInt64 {
        let form = byte()
        let base = sensible[Int(form >> 3) % sensible.count]
        return switch form & 7 {
        case 0, 1, 2, 3: base
        case 4: base &+ 1
        case 5: base &- 1
        case 6: [0, UInt64.max, UInt64.max >> 1, 1 << 62, 1 << 56, 1 << 32][choice(of: 6)]
        default: word()
        }
    }

    mutating func bytes(_ count: Int) -> [UInt8] {
        let end = min(bytes.count, position + count)
        defer { position = end }
        return Array(bytes[position..<end])
    }

    mutating func rest() -> [UInt8] { bytes(bytes.count - position) }
}
