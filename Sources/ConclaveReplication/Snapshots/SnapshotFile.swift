import ConclaveBase
import ConclaveGroup
import ConclaveWire

/// The layout of a snapshot's file: a head, which is written last, and the state at the next sector.
///
///     0        4        8        10       14       18            26
///     +--------+--------+--------+--------+--------+-------------+--------…
///     | magic  |  CRC   | format |  node  | CRC of | bytes of    | header
///     |        |of head |        |        | state  | the state   |
///     +--------+--------+--------+--------+--------+-------------+--------…
struct SnapshotFile {
    static let unfinishedSuffix = ".unfinished"
    private static let magic: UInt32 = 0x5053_4E43
    private static let format: UInt16 = 3
    private static let prefix = "snapshot-"
    private static let fixedByteCount = 26
    /// No header comes near this.
    private static let maximumHead = 1 << 20

    var header: SnapshotHeader
    var stateChecksum: UInt32
    var stateByteCount: Int

    /// File names sort as the versions do.
    static func name(_ version: Version) -> String {
        let digits = String(version.number, radix: 16)
        return prefix + String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// Nil for a name that no snapshot gets.
    static func version(of file: String) -> Version? {
        guard file.hasPrefix(prefix),
            let number = UInt64(file.dropFirst(prefix.count), radix: 16)
        else { return nil }
        let version = Version(number)
        return name(version) == file ? version : nil
    }

    static func isName(_ file: String) -> Bool { version(of: file) != nil }

    /// Where the state begins behind that header.
    static func offset(after header: SnapshotHeader) -> Int {
        Sector.roundUp(fixedByteCount + header.bytes.count)
    }

    func encodeHead(owner: NodeID) -> [UInt8] {
        var writer = ByteWriter(reserving: 1_024)
        writer.integer(Self.magic)
        writer.integer(UInt32(0))
        writer.integer(Self.format)
        writer.integer(owner.number)
        writer.integer(stateChecksum)
        writer.integer(UInt64(stateByteCount))
        header.encode(into: &writer)
        writer.patch(Checksum.of(writer.bytes[8...]), at: 4)
        return writer.bytes
    }

    /// Reads a file whole.
    ///
    /// - Returns: Nothing if it is of another lineage: a history that was given up.
    static func read<Machine: StateMachine>(
        _ file: String, on disk: any Disk, owner: NodeID, lineage: Lineage, like blank: Machine
    ) throws(FatalFault) -> (header: SnapshotHeader, machine: Machine)? {
        let head = try readHead(of: file, on: disk, owner: owner)
        guard head.header.version == version(of: file) else {
            throw .damaged("\(file): is that of version \(head.header.version.number)")
        }
        guard head.header.current.lineage == lineage else { return nil }
        var reader = SnapshotReader(like: blank, at: head.header.version)
        var checksum = Checksum()
        var offset = Self.offset(after: head.header)
        let end = offset + head.stateByteCount
        while offset < end {
            let piece = try bytes(
                of: file, on: disk, at: offset, count: min(end - offset, 1 << 20))
            guard !piece.isEmpty else { throw .damaged("\(file): is cut to \(offset) bytes") }
            unsafe piece.withUnsafeBytes { unsafe checksum.update($0) }
            do { try reader.take(piece) } catch { throw .damaged("\(file): \(error)") }
            offset += piece.count
        }
        guard checksum.value == head.stateChecksum, let machine = reader.machine else {
            throw .damaged("\(file): the checksum is wrong")
        }
        return (head.header, machine)
    }

    private static func readHead(
        of file: String, on disk: any Disk, owner: NodeID
    ) throws(FatalFault) -> SnapshotFile {
        let bytes = try bytes(of: file, on: disk, at: 0, count: maximumHead)
        var reader = ByteReader(bytes)
        do {
            guard try reader.integer("magic") == magic else {
                throw FatalFault.damaged("\(file): is no snapshot")
            }
            let expected: UInt32 = try reader.integer("checksum")
            let format: UInt16 = try reader.integer("format")
            let node = try reader.node("node")
            let stateChecksum: UInt32 = try reader.integer("state checksum")
            let count: UInt64 = try reader.integer("state size")
            let header = try SnapshotHeader(from: &reader)
            let covered = bytes[8..<(bytes.count - reader.remaining)]
            guard expected == Checksum.of(covered), count <= 1 << 40 else {
                throw FatalFault.damaged("\(file): the checksum is wrong")
            }
            guard format == Self.format else {
                throw FatalFault.foreignData(
                    "\(file): format \(format), this program writes \(Self.format)")
            }
            guard node == owner else {
                throw FatalFault.foreignData("\(file): of node \(node), not of \(owner)")
            }
            return SnapshotFile(
                header: header, stateChecksum: stateChecksum, stateByteCount: Int(count))
        } catch let fault as FatalFault {
            throw fault
        } catch {
            throw .damaged("\(file): \(error)")
        }
    }

    private static func bytes(
        of file: String, on disk: any Disk, at offset: Int, count: Int
    ) throws(FatalFault) -> [UInt8] {
        do {
            return try disk.read(file, at: offset, count: count)
        } catch {
            throw .damaged("\(file): cannot be read: \(error)")
        }
    }
}
