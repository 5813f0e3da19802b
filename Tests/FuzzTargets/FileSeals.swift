import ConclaveBase
import ConclaveGroup
import ConclaveWire

/// Checksums of a data directory's files, made right again after a change, so that what is behind
/// them is looked at. A fuzzer does not find a checksum by itself.
enum FileSeals {
    private static let sector = 512
    private static let viewRecord: UInt32 = 0x5749_5643
    private static let segment: UInt32 = 0x4753_4E43
    private static let batch: UInt32 = 0x4342_4E43
    private static let snapshot: UInt32 = 0x5053_4E43
    private static let segmentHeaderByteCount = 34

    /// - Parameter segment: The number in the file's name, if it is a segment.
    static func renew(_ bytes: inout [UInt8], segment number: UInt64) {
        var lineage: [UInt8] = []
        for offset in stride(from: 0, to: bytes.count, by: sector) {
            switch word(bytes, at: offset) {
            case viewRecord: sealRecord(&bytes, at: offset, seed: [])
            case batch:
                sealRecord(&bytes, at: offset, seed: lineage + place(number, offset))
            case segment where offset == 0 && bytes.count >= sector:
                lineage = Array(bytes[10..<26])
                let sum = Checksum.of(Array(bytes[..<segmentHeaderByteCount]))
                put(sum, into: &bytes, at: segmentHeaderByteCount)
            case snapshot where offset == 0 && bytes.count >= 8:
                sealSnapshot(&bytes)
            default: break
            }
        }
    }

    /// Magic, checksum, length; the checksum covers what follows it.
    private static func sealRecord(_ bytes: inout [UInt8], at offset: Int, seed: [UInt8]) {
        guard let length = word(bytes, at: offset + 8), offset + 24 + Int(length) <= bytes.count
        else { return }
        let covered = seed + bytes[(offset + 8)..<(offset + 24 + Int(length))]
        put(Checksum.of(covered), into: &bytes, at: offset + 4)
    }

    /// The state's checksum, then that of the head, which covers it.
    private static func sealSnapshot(_ bytes: inout [UInt8]) {
        guard let end = endOfHead(bytes) else { return }
        let start = (end + sector - 1) / sector * sector
        let count = bytes[18..<26].reversed().reduce(0 as UInt64) { $0 << 8 | UInt64($1) }
        if start <= bytes.count, count <= UInt64(bytes.count - start) {
            put(Checksum.of(bytes[start..<(start + Int(count))]), into: &bytes, at: 14)
        }
        put(Checksum.of(bytes[8..<end]), into: &bytes, at: 4)
    }

    private static func endOfHead(_ bytes: [UInt8]) -> Int? {
        var reader = ByteReader(bytes)
        do {
            _ = try reader.part("numbers", count: 26)
            _ = try NextView(from: &reader)
            let senders = try reader.count("delivered", maximum: View.maximumMembers)
            _ = try reader.part("delivered, version, time", count: 8 * senders + 16)
            return bytes.count - reader.remaining
        } catch {
            return nil
        }
    }

    private static func place(_ segment: UInt64, _ offset: Int) -> [UInt8] {
        var writer = ByteWriter()
        writer.integer(segment)
        writer.integer(UInt64(offset))
        return writer.bytes
    }

    private static func word(_ bytes: [UInt8], at offset: Int) -> UInt32? {
        guard offset + 4 <= bytes.count else { return nil }
        return bytes[offset..<(offset + 4)].reversed().reduce(0) { $0 << 8 | UInt32($1) }
    }

    private static func put(_ value: UInt32, into bytes: inout [UInt8], at offset: Int) {
        guard offset + 4 <= bytes.count else { return }
        for index in 0..<4 {
            bytes[offset + index] = UInt8(truncatingIfNeeded: value >> (8 * index))
        }
    }
}
