/// CRC-32C in tables, eight bytes a step: for processors without the instruction that `Checksum` knows, and
/// to compare that with.
package enum ChecksumTables {
    /// The remainder after more bytes; neither it nor `crc` is inverted.
    package static func update(_ crc: UInt32, _ bytes: UnsafeRawBufferPointer) -> UInt32 {
        var crc = crc
        var offset = 0
        unsafe tables.withUnsafeBufferPointer { table in
            while offset + 8 <= bytes.count {
                let word = unsafe UInt64(
                    littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
                let mixed = word ^ UInt64(crc)
                crc = 0
                for step in 0..<8 {
                    let byte = Int(truncatingIfNeeded: (mixed >> (UInt64(step) * 8)) & 0xFF)
                    crc ^= unsafe table[(7 - step) * 256 + byte]
                }
                offset += 8
            }
            while offset < bytes.count {
                let byte = unsafe bytes[offset]
                crc = unsafe table[Int((crc ^ UInt32(byte)) & 0xFF)] ^ (crc >> 8)
                offset += 1
            }
        }
        return crc
    }

    /// Table k: the remainder of a byte followed by k zero bytes.
    private static let tables: [UInt32] = {
        var tables = [UInt32](repeating: 0, count: 8 * 256)
        for byte in 0..<256 {
            var crc = UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? (crc >> 1) ^ 0x82F6_3B78 : crc >> 1 }
            tables[byte] = crc
        }
        for index in 256..<(8 * 256) {
            let previous = tables[index - 256]
            tables[index] = tables[Int(previous & 0xFF)] ^ (previous >> 8)
        }
        return tables
    }()
}
