import ConclaveBase
import ConclaveGroup
import ConclaveWire

/// Everything that goes over the control path. The lineage of the sender comes first: a frame of
/// another history is not looked at.
enum ControlFrame: Equatable {
    case membership(MembershipFrame)
    /// Row writes of this epoch may come on this connection from now on (V2).
    case ready(Epoch)
    /// Messages of an epoch that the receiver lacks below its trim.
    case fill(Epoch, [JournalRecord])
    case transfer(TransferFrame)
    /// What do you have? Asked by a member that is to go on without the others (V27).
    case survey(id: UInt64)
    indirect case holding(id: UInt64, Holding)

    static let membershipKind: UInt8 = 1
    static let transferKind: UInt8 = 4

    func encode(lineage: Lineage) -> [UInt8] {
        var writer = ByteWriter(reserving: 64)
        writer.lineage(lineage)
        switch self {
        case .membership(let frame):
            writer.integer(Self.membershipKind)
            frame.encode(into: &writer)
        case .ready(let epoch):
            writer.integer(UInt8(2))
            writer.integer(epoch.number)
        case .fill(let epoch, let records):
            writer.integer(UInt8(3))
            writer.integer(epoch.number)
            writer.list(records) { $0.encode(into: &$1) }
        case .transfer(let frame):
            writer.integer(Self.transferKind)
            frame.encode(into: &writer)
        case .survey(let id):
            writer.integer(UInt8(5))
            writer.integer(id)
        case .holding(let id, let holding):
            writer.integer(UInt8(6))
            writer.integer(id)
            holding.encode(into: &writer)
        }
        return writer.bytes
    }

    static func decode(_ bytes: [UInt8]) throws(WireError) -> (Lineage, ControlFrame) {
        var reader = ByteReader(bytes)
        let lineage = try reader.lineage("lineage")
        let kind = try reader.byte("control frame")
        let frame: ControlFrame
        switch kind {
        case membershipKind: frame = .membership(try MembershipFrame(from: &reader))
        case 2: frame = .ready(try reader.epoch("epoch"))
        case 3:
            let epoch = try reader.epoch("epoch")
            var records: [JournalRecord] = []
            for _ in 0..<(try reader.count("records", maximum: 1 << 20)) {
                records.append(try JournalRecord(from: &reader))
            }
            frame = .fill(epoch, records)
        case transferKind: frame = .transfer(try TransferFrame(from: &reader))
        case 5: frame = .survey(id: try reader.integer("id"))
        case 6: frame = .holding(id: try reader.integer("id"), try Holding(from: &reader))
        default: throw .unknown(field: "control frame", value: UInt64(kind))
        }
        try reader.finish()
        return (lineage, frame)
    }
}

/// What a member that comes back and its teacher say to each other (V22).
enum TransferFrame: Equatable {
    /// Let me in: I have applied the order up to that version; zero: nothing.
    case join(Member, version: Version)
    /// A transfer begins: with the items after the joiner's version, or with a snapshot, of which
    /// this is the header.
    case begin(id: UInt64, snapshot: [UInt8]?)
    case snapshotPart(id: UInt64, bytes: [UInt8])
    /// None of them says that the teacher is still there.
    case items(id: UInt64, [OrderedItem])
    /// The joiner has taken that many bytes of this transfer.
    case taken(id: UInt64, byteCount: UInt64)
    /// The joiner has everything that was sent, and hears all members, and others besides.
    case ready(id: UInt64, version: Version, hears: [Member])
    /// What is received and below the trim, but not delivered yet: to be held.
    case level(id: UInt64, Epoch, trim: [UInt64], [JournalRecord], isLast: Bool)
    /// Everything below that trim is held and synced.
    case isLevel(id: UInt64, Epoch, trim: [UInt64])

    static let isLevelKind: UInt8 = 8

    func encode(into writer: inout ByteWriter) {
        switch self {
        case .join(let member, let version):
            writer.integer(UInt8(1))
            writer.member(member)
            writer.integer(version.number)
        case .begin(let id, let snapshot):
            writer.integer(UInt8(2))
            writer.integer(id)
            writer.flag(snapshot != nil)
            if let snapshot { writer.bytes(snapshot) }
        case .snapshotPart(let id, let bytes):
            writer.integer(UInt8(3))
            writer.integer(id)
            writer.bytes(bytes)
        case .items(let id, let items):
            writer.integer(UInt8(4))
            writer.integer(id)
            writer.list(items) { $0.encode(into: &$1) }
        case .taken(let id, let byteCount):
            writer.integer(UInt8(5))
            writer.integer(id)
            writer.integer(byteCount)
        case .ready(let id, let version, let hears):
            writer.integer(UInt8(6))
            writer.integer(id)
            writer.integer(version.number)
            writer.list(hears) { $1.member($0) }
        case .level(let id, let epoch, let trim, let records, let isLast):
            writer.integer(UInt8(7))
            writer.integer(id)
            writer.integer(epoch.number)
            writer.list(trim) { $1.integer($0) }
            writer.list(records) { $0.encode(into: &$1) }
            writer.flag(isLast)
        case .isLevel(let id, let epoch, let trim):
            writer.integer(Self.isLevelKind)
            writer.integer(id)
            writer.integer(epoch.number)
            writer.list(trim) { $1.integer($0) }
        }
    }

    init(from reader: inout ByteReader) throws(WireError) {
        let kind = try reader.byte("transfer frame")
        switch kind {
        case 1:
            let member = try reader.member("member")
            self = .join(member, version: try reader.version("version"))
        case 2:
            let id: UInt64 = try reader.integer("id")
            let hasSnapshot = try reader.flag("has snapshot")
            let header = hasSnapshot ? try reader.bytes("header", maximum: 1 << 20) : nil
            self = .begin(id: id, snapshot: header)
        case 3:
            let id: UInt64 = try reader.integer("id")
            self = .snapshotPart(id: id, bytes: try reader.bytes("part", maximum: 1 << 20))
        case 4:
            let id: UInt64 = try reader.integer("id")
            var items: [OrderedItem] = []
            for _ in 0..<(try reader.count("items", maximum: 1 << 20)) {
                items.append(try OrderedItem(from: &reader))
            }
            self = .items(id: id, items)
        case 5: self = .taken(id: try reader.integer("id"), byteCount: try reader.integer("taken"))
        case 6: self = try Self.decodeReady(&reader)
        case 7: self = try Self.decodeLevel(&reader)
        case Self.isLevelKind:
            self = .isLevel(
                id: try reader.integer("id"), try reader.epoch("epoch"),
                trim: try Self.decodeTrim(&reader))
        default: throw .unknown(field: "transfer frame", value: UInt64(kind))
        }
    }

    private static func decodeReady(_ reader: inout ByteReader) throws(WireError) -> Self {
        let id: UInt64 = try reader.integer("id")
        let version = try reader.version("version")
        var hears: [Member] = []
        for _ in 0..<(try reader.count("hears", maximum: View.maximumMembers)) {
            hears.append(try reader.member("hears"))
        }
        return .ready(id: id, version: version, hears: hears)
    }

    private static func decodeLevel(_ reader: inout ByteReader) throws(WireError) -> Self {
        let id: UInt64 = try reader.integer("id")
        let epoch = try reader.epoch("epoch")
        let trim = try decodeTrim(&reader)
        var records: [JournalRecord] = []
        for _ in 0..<(try reader.count("records", maximum: 1 << 20)) {
            records.append(try JournalRecord(from: &reader))
        }
        return .level(id: id, epoch, trim: trim, records, isLast: try reader.flag("last"))
    }

    private static func decodeTrim(_ reader: inout ByteReader) throws(WireError) -> [UInt64] {
        var trim: [UInt64] = []
        for _ in 0..<(try reader.count("trim", maximum: View.maximumMembers)) {
            trim.append(try reader.integer("trim"))
        }
        return trim
    }
}
