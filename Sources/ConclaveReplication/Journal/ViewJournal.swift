import ConclaveBase
import ConclaveGroup
import ConclaveWire

/// The durable memory of views, promises and accepted values, in two copies in different files
/// (V29). It is small and has a lane of its own, so that a promise never waits for a segment.
///
///     record: 0        4        8        12       16                 24
///             +--------+--------+--------+--------+------------------+------
///             | magic  | CRC    | length | zero   | sequence number  | body …
///             +--------+--------+--------+--------+------------------+------
///
/// Each record begins at a sector; the first sector is the header, a record with sequence number 0
/// whose body is the format, the owner, and the sequence number with which this file begins. Files
/// are made anew one after the other, each with all that is to be remembered, so only those with
/// the newest beginning count. A record is written to both files and synced in both, one after the
/// other, before it counts; so one that is bad in one file is taken from the other, and a missing
/// one with a later one behind it is damage.
struct ViewJournal {
    static let files = ["views.a", "views.b"]
    private static let magic: UInt32 = 0x5749_5643
    private static let format: UInt16 = 1
    private static let headerByteCount = 24
    private static let smallestFile = 64 * 1024
    /// No record has a number above this, so that the next one can always be counted.
    private static let lastSequence: UInt64 = 1 << 60

    private let owner: NodeID
    private var sequence: UInt64
    private var position = 0
    private var fileByteCount = 0
    private(set) var memory: ViewMemory
    /// Decided views since the newest snapshot, oldest first: their trims say what is delivered.
    private(set) var chain: [NextView]

    /// Reads both copies. `isBlank`: there were none.
    static func recover(
        from disk: any Disk, owner: NodeID
    ) throws(FatalFault) -> (journal: ViewJournal, isBlank: Bool) {
        var isBlank = true
        var copies: [Copy] = []
        for file in files {
            guard let bytes = try contents(of: file, on: disk) else { continue }
            isBlank = false
            // It is made in its whole size before it is named: what is missing may be records.
            guard bytes.count >= smallestFile else { continue }
            if let copy = try Copy(records(in: bytes), owner: owner) { copies.append(copy) }
        }
        var journal = ViewJournal(owner: owner, sequence: 0, memory: ViewMemory(), chain: [])
        if !isBlank { try journal.replay(copies) }
        return (journal, isBlank)
    }

    /// What one file holds.
    private struct Copy {
        var first: UInt64
        var bodies: [UInt64: [UInt8]] = [:]

        /// Nil if the header is bad.
        init?(_ records: [(UInt64, [UInt8])], owner: NodeID) throws(FatalFault) {
            guard let header = records.first(where: { $0.0 == 0 })?.1 else { return nil }
            first = try ViewJournal.check(header, owner: owner)
            for (sequence, body) in records where sequence != 0 {
                // A file is made anew: what it begins with is the oldest that it has.
                guard (first...ViewJournal.lastSequence).contains(sequence) else {
                    throw .damaged(
                        "view journal: record \(sequence) in a file that begins with \(first)")
                }
                bodies[sequence] = body
            }
        }
    }

    private static func contents(
        of file: String, on disk: any Disk
    ) throws(FatalFault) -> [UInt8]? {
        do {
            return try disk.read(file, at: 0, count: try disk.byteCount(of: file))
        } catch DiskError.notFound {
            return nil
        } catch {
            throw .disk(error)
        }
    }

    private init(owner: NodeID, sequence: UInt64, memory: ViewMemory, chain: [NextView]) {
        self.owner = owner
        self.sequence = sequence
        self.memory = memory
        self.chain = chain
    }

    private mutating func replay(_ copies: [Copy]) throws(FatalFault) {
        guard let first = copies.map(\.first).max() else {
            throw .damaged("view journal: the header is bad in both copies")
        }
        var bodies: [UInt64: [UInt8]] = [:]
        for copy in copies where copy.first == first {
            bodies.merge(copy.bodies) { mine, _ in mine }
        }
        sequence = first - 1
        for number in bodies.keys.sorted() {
            guard number == sequence + 1 else {
                throw .damaged("view journal: record \(sequence + 1) is bad in both copies")
            }
            sequence = number
            var reader = ByteReader(bodies[number] ?? [])
            do {
                remember(try ViewRecord(from: &reader))
            } catch {
                throw .damaged("view journal: record \(number): \(error)")
            }
        }
    }

    /// Takes the header's word for where its file begins, if it is of this node and format.
    private static func check(_ header: [UInt8], owner: NodeID) throws(FatalFault) -> UInt64 {
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

    private mutating func remember(_ record: ViewRecord) {
        memory.apply(record)
        if case .installed(let value, _) = record {
            if let last = chain.last, last.lineage != value.lineage { chain = [] }
            if value.epoch > chain.last?.epoch ?? .none { chain.append(value) }
        }
    }

    /// Knows a view from a snapshot that was sent: its own record may not have reached the disk
    /// after it. The next rewriting makes it durable.
    mutating func takeUp(_ view: NextView) {
        guard view.epoch > memory.epoch else { return }
        remember(.installed(view, voteFrom: memory.voteFrom))
    }

    /// Writes one record; `tag` completes when it is synced in both files.
    mutating func append(_ record: ViewRecord, to disk: any Disk, tag: UInt64) {
        remember(record)
        sequence += 1
        let bytes = Self.encode(record, sequence: sequence)
        guard position + bytes.count <= fileByteCount else {
            return rewrite(on: disk, tag: tag)
        }
        for file in Self.files {
            disk.submit(.write(file, at: position, bytes: bytes), lane: .views, tag: 0)
        }
        for file in Self.files {
            disk.submit(.sync(file), lane: .views, tag: file == Self.files.last ? tag : 0)
        }
        position += bytes.count
    }

    /// Forgets views that a snapshot has made unnecessary, with the next rewriting.
    mutating func forget(before epoch: Epoch) {
        chain.removeAll { $0.epoch < epoch && $0.epoch != memory.epoch }
    }

    /// Makes both files anew, one after the other, so that one is whole at any time.
    mutating func rewrite(on disk: any Disk, tag: UInt64) {
        var bytes = Self.encode(body: header(first: sequence + 1), sequence: 0)
        for record in summary {
            sequence += 1
            bytes += Self.encode(record, sequence: sequence)
        }
        position = bytes.count
        fileByteCount = max(Self.smallestFile, Sector.roundUp(bytes.count * 2))
        for file in Self.files {
            let fresh = file + ".new"
            disk.submit(.create(fresh, byteCount: fileByteCount), lane: .views, tag: 0)
            disk.submit(.write(fresh, at: 0, bytes: bytes), lane: .views, tag: 0)
            disk.submit(.sync(fresh), lane: .views, tag: 0)
            disk.submit(.rename(fresh, to: file), lane: .views, tag: 0)
            let isLast = file == Self.files.last
            disk.submit(.syncDirectory, lane: .views, tag: isLast ? tag : 0)
        }
    }

    /// The whole memory in as few records as say it.
    private var summary: [ViewRecord] {
        var records: [ViewRecord] = []
        if let founding = memory.founding {
            records.append(.founding(founding.lineage, members: founding.members))
        }
        for value in chain where value.epoch < memory.epoch {
            records.append(.installed(value, voteFrom: memory.voteFrom))
        }
        return records + memory.summary.drop { if case .founding = $0 { true } else { false } }
    }

    private func header(first: UInt64) -> [UInt8] {
        var writer = ByteWriter()
        writer.integer(Self.format)
        writer.integer(owner.number)
        writer.integer(first)
        return writer.bytes
    }

    private static func encode(_ record: ViewRecord, sequence: UInt64) -> [UInt8] {
        var writer = ByteWriter()
        record.encode(into: &writer)
        return encode(body: writer.bytes, sequence: sequence)
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

    /// All records that are whole, wherever they begin.
    private static func records(in bytes: [UInt8]) -> [(UInt64, [UInt8])] {
        var result: [(UInt64, [UInt8])] = []
        var offset = 0
        while offset + headerByteCount <= bytes.count {
            if let (sequence, body) = record(in: bytes, at: offset) {
                result.append((sequence, body))
                offset += Sector.roundUp(headerByteCount + body.count)
            } else {
                offset += Sector.byteCount
            }
        }
        return result
    }

    private static func record(in bytes: [UInt8], at offset: Int) -> (UInt64, [UInt8])? {
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
