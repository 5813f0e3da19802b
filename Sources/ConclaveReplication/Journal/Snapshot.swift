import ConclaveBase
import ConclaveGroup
import ConclaveWire

/// The state at one point of the order, with all that is needed to go on from there.
struct Snapshot: Equatable {
    /// The decided view that began the epoch of this point.
    var current: NextView
    /// For each sender of that epoch, how many of its messages are applied.
    var delivered: [UInt64]
    var version: Version
    var time: Timestamp
    var machine: [UInt8]

    private static let magic: UInt32 = 0x5053_4E43
    private static let format: UInt16 = 2
    private static let prefix = "snapshot-"

    /// File names sort as the versions do.
    static func name(_ version: Version) -> String {
        let digits = String(version.number, radix: 16)
        return prefix + String(repeating: "0", count: 16 - digits.count) + digits
    }

    static func isName(_ file: String) -> Bool {
        file.hasPrefix(prefix) && file.utf8.count == prefix.utf8.count + 16
    }

    var mark: SegmentJournal.Mark {
        SegmentJournal.Mark(epoch: current.epoch, vector: delivered)
    }

    func encode(owner: NodeID) -> [UInt8] {
        var writer = ByteWriter(reserving: machine.count + 1_024)
        writer.integer(Self.magic)
        writer.integer(UInt32(0))
        writer.integer(Self.format)
        writer.integer(owner.number)
        encodeHeader(into: &writer)
        writer.raw(machine)
        writer.patch(Checksum.of(writer.bytes[8...]), at: 4)
        return writer.bytes
    }

    /// What goes before the machine's bytes, in a file and in a transfer alike.
    func encodeHeader(into writer: inout ByteWriter) {
        current.encode(into: &writer)
        writer.list(delivered) { $1.integer($0) }
        writer.integer(version.number)
        writer.integer(time.microseconds)
        writer.integer(UInt64(machine.count))
    }

    init(
        current: NextView, delivered: [UInt64], version: Version, time: Timestamp,
        machine: [UInt8]
    ) {
        self.current = current
        self.delivered = delivered
        self.version = version
        self.time = time
        self.machine = machine
        machineByteCount = machine.count
    }

    /// Reads a header; the machine's bytes follow it, or come in pieces.
    init(headerFrom reader: inout ByteReader) throws(WireError) {
        current = try NextView(from: &reader)
        delivered = []
        for _ in 0..<(try reader.count("delivered", maximum: NextView.maximumMembers)) {
            delivered.append(try reader.integer("delivered"))
        }
        guard delivered.count == current.members.count else {
            throw .invalid(field: "delivered", reason: "has not one number a member")
        }
        version = try reader.version("version")
        guard version.counter < Version.counterMask / 2 else {
            throw .invalid(field: "version", reason: "is at the end of its era")
        }
        time = try reader.timestamp("time")
        let count: UInt64 = try reader.integer("state size")
        guard count <= 1 << 40 else {
            throw .outOfRange(field: "state size", value: count, maximum: 1 << 40)
        }
        machine = []
        machineByteCount = Int(count)
    }

    /// How many bytes the machine's state has, though they may not be here (yet).
    private(set) var machineByteCount: Int

    static func decode(_ bytes: [UInt8], file: String, owner: NodeID) throws(FatalFault) -> Snapshot
    {
        var reader = ByteReader(bytes)
        do {
            guard try reader.integer("magic") == magic else {
                throw FatalFault.damaged("\(file): is no snapshot")
            }
            guard try reader.integer("checksum") == Checksum.of(bytes[8...]) else {
                throw FatalFault.damaged("\(file): the checksum is wrong")
            }
            let format: UInt16 = try reader.integer("format")
            guard format == Self.format else {
                throw FatalFault.foreignData(
                    "\(file): format \(format), this program writes \(Self.format)")
            }
            let node = try reader.node("node")
            guard node == owner else {
                throw FatalFault.foreignData("\(file): of node \(node), not of \(owner)")
            }
            var snapshot = try Snapshot(headerFrom: &reader)
            snapshot.machine = try reader.array("state", count: snapshot.machineByteCount)
            return snapshot
        } catch let fault as FatalFault {
            throw fault
        } catch {
            throw .damaged("\(file): \(error)")
        }
    }
}
