package import ConclaveBase
package import ConclaveWire

/// Who a client process is, as its daemon's kernel says.
package struct ProcessIdentity: Hashable, Sendable {
    /// A longer unit name is cut off, at a character.
    package static let unitByteCount = 255

    package var host: NodeID
    package var pid: UInt32
    /// When the process started, in the kernel's clock ticks since boot: tells two processes of one
    /// pid apart.
    package var startTime: UInt64
    /// Which boot of the machine it was.
    package var bootID: UInt64
    package var uid: UInt32
    package var gid: UInt32
    /// Its systemd unit or cgroup, for people to read; may be empty.
    package private(set) var unit: String

    package init(
        host: NodeID, pid: UInt32, startTime: UInt64, bootID: UInt64, uid: UInt32, gid: UInt32,
        unit: String
    ) {
        self.host = host
        self.pid = pid
        self.startTime = startTime
        self.bootID = bootID
        self.uid = uid
        self.gid = gid
        self.unit = String(ByteWriter.cut(unit, toByteCount: Self.unitByteCount))
    }

    /// The very same process, not only one that looks like it.
    package func isSameProcess(as other: ProcessIdentity) -> Bool {
        host == other.host && bootID == other.bootID && pid == other.pid
            && startTime == other.startTime
    }

    package init(from reader: inout ByteReader) throws(WireError) {
        host = try reader.node("host")
        pid = try reader.integer("pid")
        startTime = try reader.integer("start time")
        bootID = try reader.integer("boot id")
        uid = try reader.integer("uid")
        gid = try reader.integer("gid")
        unit = try reader.text("unit", maximum: Self.unitByteCount)
    }

    package func encode(into writer: inout ByteWriter) {
        writer.integer(host.number)
        writer.integer(pid)
        writer.integer(startTime)
        writer.integer(bootID)
        writer.integer(uid)
        writer.integer(gid)
        writer.text(unit)
    }
}
