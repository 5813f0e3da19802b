import ConclaveBase
import ConclaveGroup
import ConclaveWire

/// The bytes of the view journal's files.
///
///     record: 0        4        8        12       16                 24
///             +--------+--------+--------+--------+------------------+------
///             | magic  | CRC    | length | zero   | sequence number  | body …
///             +--------+--------+--------+--------+------------------+------
///
/// Each record begins at a sector; the first sector is the header, a record with sequence number 0
/// whose body is the format, the owner, and the sequence number with which this file begins.
enum ViewJournalFormat {
    /// No record has a number above this, so that the next one can always be counted.
    static let lastSequence: UInt64 = 1 << 60
    private static let magic: UInt32 = 0x5749_5643
    private static let format: UInt16 = 3
    private static let headerByteCount = 24

    /// The body of a record: what was decided or promised, if anything, and what is on the disk.
    struct Entry {
        var record: ViewRecord?
        var mark: JournalMark
        /// The newest record that was known to be synced in both files when this one was written.
        var counted: UInt64

        init(_ record: ViewRecord?, mark: JournalMark, counted: UInt64) {
            self.record = record
            self.mark = mark
            self.counted = counted
        }

        init(from reader: inout ByteReader) throws(WireError) {
            (mark, counted) = try Self.beginning(of: &reader)
            record = try reader.flag("has record") ? try ViewRecord(from: &reader) : nil
        }

        private static func beginning(
            of reader: inout ByteReader
        ) throws(WireError) -> (mark: JournalMark, counted: UInt64) {
            (try JournalMark(from: &reader), try reader.integer("counted"))
        }

        /// `counted` of an encoded one; nil: it is none.
        static func counted(in body: [UInt8]) -> UInt64? {
            var reader = ByteReader(body)
            return try? beginning(of: &reader).counted
        }

        func encode(sequence: UInt64) -> [UInt8] {
            var writer = ByteWriter(reserving: 256)
            mark.encode(into: &writer)
            writer.integer(counted)
            writer.flag(record != nil)
            record?.encode(into: &writer)
            return ViewJournalFormat.encode(body: writer.bytes, sequence: sequence)
        }
    }

    static func header(owner: NodeID, first: UInt64) -> [UInt8] {
        var writer = ByteWriter(reserving: 256)
        writer.integer(format)
        writer.integer(owner.number)
        writer.integer(first)
        return encode(body: writer.bytes, sequence: 0)
    }

    /// Takes the header's word for where its file begins, if it is of this node and format.
    static func first(ofHeader header: [UInt8], owner: NodeID) throws(FatalFault) -> UInt64 {
        var reader = ByteReader(header)
        do {
            let format: UInt16 = try reader.integer("format")
            guard format == Self.format else {
                throw FatalFault.foreignData(
                    "view journal: format \(format), this program writes \(Self.format)")
            }
            let node = try reader.node("node")
            guard node == owner else {
                throw FatalFault.foreignData("view journal: of node \(node), not of \(owner)")
            }
            let first: UInt64 = try reader.integer("first record")
            guard (1...lastSequence).contains(first) else {
                throw FatalFault.damaged("view journal: begins at record \(first)")
            }
            return first
        } catch let fault as FatalFault {
            throw fault
        } catch {
            throw .damaged("view journal: header: \(error)")
        }
    }

    private static func encode(body: [UInt8], sequence: UInt64) -> [UInt8] {
        var writer = ByteWriter(reserving: Sector.roundUp(headerByteCount + body.count))
        writer.integer(magic)
        writer.integer(UInt32(0))
        writer.integer(UInt32(body.count))
        writer.integer(UInt32(0))
        writer.integer(sequence)
        writer.raw(body)
        let padding = Sector.roundUp(writer.bytes.count) - writer.bytes.count
        writer.patch(Checksum.of(writer.bytes[8...]), at: 4)
        writer.raw(Sector.padding(padding))
        return writer.bytes
    }

    /// All records that are whole, wherever they begin, and where the last one ends.
    static func records(
        in bytes: [UInt8]
    ) -> (records: [(sequence: UInt64, body: [UInt8])], end: Int) {
        var result: [(UInt64, [UInt8])] = []
        var end = 0
        var offset = 0
        while let start = Sector.next(magic, in: bytes, from: offset) {
            let record = record(in: bytes, at: start)
            offset = start + Sector.roundUp(headerByteCount + (record?.body.count ?? 0))
            guard let record else { continue }
            result.append(record)
            end = offset
        }
        return (result, end)
    }

    private static func record(
        in bytes: [UInt8], at offset: Int
    ) -> (sequence: UInt64, body: [UInt8])? {
        var reader = ByteReader(bytes, in: offset..<bytes.count)
        do {
            guard try reader.integer("magic") == magic else { return nil }
            let checksum: UInt32 = try reader.integer("checksum")
            let length: UInt32 = try reader.integer("length")
            let _: UInt32 = try reader.integer("zero")
            let sequence: UInt64 = try reader.integer("sequence")
            let body = try reader.array("body", count: Int(length))
            let covered = bytes[(offset + 8)..<(offset + headerByteCount + Int(length))]
            return Checksum.of(covered) == checksum ? (sequence, body) : nil
        } catch {
            return nil
        }
    }
}
