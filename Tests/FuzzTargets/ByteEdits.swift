import ConclaveBase

extension ByteSource {
    /// Changes bytes that were right: a number overwritten, bytes taken out, put in, or doubled.
    mutating func edit(_ bytes: inout [UInt8]) {
        guard !bytes.isEmpty else { return bytes = self.bytes(Int(byte())) }
        let place = Int(truncatingIfNeeded: word16()) % bytes.count
        switch choice(of: 8) {
        case 0: bytes[place] = byte()
        case 1: bytes[place] &+= 1
        case 2: bytes[place] ^= 1 << UInt8(choice(of: 8))
        case 3: overwrite(&bytes, at: place, byteCount: 8)
        case 4: overwrite(&bytes, at: place, byteCount: 4)
        case 5: bytes.insert(contentsOf: self.bytes(choice(of: 32)), at: place)
        case 6: bytes.removeSubrange(place..<min(bytes.count, place + 1 + choice(of: 64)))
        default:
            let piece = bytes[place..<min(bytes.count, place + 1 + choice(of: 128))]
            bytes.insert(contentsOf: piece, at: place)
        }
    }

    mutating func word16() -> UInt16 { UInt16(byte()) << 8 | UInt16(byte()) }

    private mutating func overwrite(_ bytes: inout [UInt8], at place: Int, byteCount: Int) {
        let before = bytes[place..<min(bytes.count, place + byteCount)].reversed()
            .reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        let value = number(near: [before, 0, 1])
        for index in 0..<byteCount where place + index < bytes.count {
            bytes[place + index] = UInt8(truncatingIfNeeded: value >> (8 * index))
        }
    }
}
