import ConclaveBase
import ConclaveWire

/// The first sector of a segment: magic, format, owner, lineage, the file's size.
enum SegmentFormat {
    private static let magic: UInt32 = 0x4753_4E43
    private static let format: UInt16 = 1
    private static let prefix = "segment-"
    /// No segment has a number above this, so that the next one can always be counted.
    private static let lastNumber: UInt64 = 1 << 60

    static func name(_ number: UInt64) -> String {
        let digits = String(number)
        return prefix + String(repeating: "0", count: max(0, 10 - digits.count)) + digits
    }

    /// Nil for a name that no segment gets.
    static func number(of file: String) -> UInt64? {
        guard file.hasPrefix(prefix), let number = UInt64(file.dropFirst(prefix.count)),
            name(number) == file, number <= lastNumber
        else { return nil }
        return number
    }

    static func header(_ settings: SegmentSettings) -> [UInt8] {
        var writer = ByteWriter(reserving: Sector.byteCount)
        writer.integer(magic)
        writer.integer(format)
        writer.integer(settings.owner.number)
        writer.lineage(settings.lineage)
        writer.integer(UInt64(settings.byteCount))
        writer.integer(Checksum.of(writer.bytes))
        writer.raw(Sector.padding(Sector.byteCount - writer.bytes.count))
        return writer.bytes
    }

    /// What a segment's first sector says; nil if it was never written whole. A segment is made in
    /// its whole size before it is named, so a shorter one was cut.
    static func check(
        _ bytes: [UInt8], file: String, owner: NodeID
    ) throws(FatalFault) -> Lineage? {
        guard bytes.count >= Sector.byteCount else { throw cut(file, bytes.count) }
        guard let header = Header(in: bytes) else { return nil }
        guard header.format == format else {
            throw .foreignData(
                "\(file): format \(header.format), this program writes \(format)")
        }
        guard header.node == owner else {
            throw .foreignData("\(file): of node \(header.node), not of \(owner)")
        }
        guard UInt64(bytes.count) >= header.byteCount else { throw cut(file, bytes.count) }
        return header.lineage
    }

    struct Header {
        var format: UInt16
        var node: NodeID
        var lineage: Lineage
        var byteCount: UInt64

        /// Nil if it is not whole.
        init?(in bytes: [UInt8]) {
            var reader = ByteReader(bytes)
            do {
                guard try reader.integer("magic") == SegmentFormat.magic else { return nil }
                format = try reader.integer("format")
                node = try reader.node("node")
                lineage = try reader.lineage("lineage")
                byteCount = try reader.integer("size")
                let covered = bytes.count - reader.remaining
                guard try reader.integer("checksum") == Checksum.of(bytes[..<covered]) else {
                    return nil
                }
            } catch {
                return nil
            }
        }
    }

    private static func cut(_ file: String, _ byteCount: Int) -> FatalFault {
        .damaged("\(file): is cut to \(byteCount) bytes: acknowledged data may be missing")
    }
}

/// A batch: what one sync covers. It begins at a sector.
///
///     0        4        8        12       16              24
///     +--------+--------+--------+--------+---------------+----------
///     | magic  | CRC    | length | count  | batch number  | records …
///     +--------+--------+--------+--------+---------------+----------
///
/// The checksum also covers the lineage, the segment's number and the offset, so that bytes which
/// only look like a batch, inside a message, from another place, or of the segment that a file was
/// before, are never taken for one. For the last this is no matter of luck: the checksums of the same
/// bytes with two numbers differ by the remainder of the numbers' difference, which is not zero for
/// numbers below 2^32.
enum BatchFormat {
    static let headerByteCount = 24
    /// No batch has a number above this, so that the next one can always be counted.
    static let lastNumber: UInt64 = 1 << 60
    static let magic: UInt32 = 0x4342_4E43

    static func encode(
        _ records: [UInt8], number: UInt64, recordCount: Int, segment: UInt64, offset: Int,
        lineage: Lineage
    ) -> [UInt8] {
        var writer = ByteWriter(reserving: Sector.roundUp(headerByteCount + records.count))
        writer.integer(magic)
        writer.integer(UInt32(0))
        writer.integer(UInt32(records.count))
        writer.integer(UInt32(recordCount))
        writer.integer(number)
        writer.raw(records)
        let sum = checksum(writer.bytes[8...], segment: segment, offset: offset, lineage: lineage)
        writer.patch(sum, at: 4)
        writer.raw(Sector.padding(Sector.roundUp(writer.bytes.count) - writer.bytes.count))
        return writer.bytes
    }

    /// The number of a segment as the checksum takes it.
    static func covered(_ segment: UInt64, plant: Plant?) -> UInt64 {
        plant == .staleBatchIsNew ? 0 : segment
    }

    struct Batch {
        var number: UInt64
        /// Of its sectors.
        var byteCount: Int
        var records: [JournalRecord]
    }

    /// The batch at `offset`, or nil if none begins there whole. It depends on its own sectors, on
    /// where they are, and on nothing else.
    static func decode(
        _ bytes: [UInt8], at offset: Int, segment: UInt64, lineage: Lineage
    ) -> Batch? {
        var reader = ByteReader(bytes, in: offset..<bytes.count)
        do {
            guard try reader.integer("magic") == magic else { return nil }
            let expected: UInt32 = try reader.integer("checksum")
            let length: UInt32 = try reader.integer("length")
            let count: UInt32 = try reader.integer("count")
            let number: UInt64 = try reader.integer("number")
            guard reader.remaining >= Int(length) else { return nil }
            let end = offset + headerByteCount + Int(length)
            let sum = checksum(
                bytes[(offset + 8)..<end], segment: segment, offset: offset, lineage: lineage)
            guard sum == expected else { return nil }
            var part = try reader.part("records", count: Int(length))
            var records: [JournalRecord] = []
            records.reserveCapacity(min(Int(count), part.remaining / JournalRecord.overhead))
            for _ in 0..<count { records.append(try JournalRecord(from: &part)) }
            return Batch(
                number: number, byteCount: Sector.roundUp(headerByteCount + Int(length)),
                records: records)
        } catch {
            return nil
        }
    }

    /// How many bytes, from `offset` on, tell whether a batch begins there, if the file has so many.
    static func byteCount(at offset: Int, in bytes: [UInt8]) -> Int {
        var reader = ByteReader(bytes, in: offset..<bytes.count)
        guard let header = try? reader.part("header", count: headerByteCount) else {
            return headerByteCount
        }
        var fields = header
        let _: UInt64? = try? fields.integer("magic and checksum")
        let length: UInt32 = (try? fields.integer("length")) ?? 0
        return Sector.roundUp(headerByteCount + Int(length))
    }

    private static func checksum(
        _ bytes: ArraySlice<UInt8>, segment: UInt64, offset: Int, lineage: Lineage
    ) -> UInt32 {
        var checksum = Checksum()
        checksum.update(lineage.high)
        checksum.update(lineage.low)
        checksum.update(segment)
        checksum.update(UInt64(offset))
        unsafe bytes.withUnsafeBytes { unsafe checksum.update($0) }
        return checksum.value
    }
}
