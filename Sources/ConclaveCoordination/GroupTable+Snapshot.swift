import ConclaveBase
import ConclaveWire
import DequeModule

/// The task groups at one version.
struct FrozenGroups: Sendable {
    let rows: Arena<TaskGroup>
    let floor: Version
    /// What of the group at hand is told next.
    private var part = Part.head
    private var place = 0
    private var told = 0

    private enum Part {
        case floor, head, members, log
    }

    init(_ table: GroupTable) {
        rows = table.rows.frozen
        floor = table.floor
        part = .floor
    }

    /// Appends the next row; false if there was none left.
    mutating func encodeRow(into writer: inout ByteWriter, limit: Int) -> Bool {
        if part == .floor {
            writer.integer(SnapshotRow.groupFloor.rawValue)
            writer.integer(floor.number)
            part = .head
            return true
        }
        while let index = rows.firstIndex(from: place) {
            place = index
            let group = rows[index]
            switch part {
            case .floor, .head:
                group.encodeHead(into: &writer)
                go(to: .members)
                return true
            case .members where told < group.members.count:
                encode(.groupMembers, of: group, group.members.count, limit, into: &writer) {
                    group.members[$0].encode(into: &$1)
                }
                return true
            case .members: go(to: .log)
            case .log where told < group.log.count:
                encode(.groupLog, of: group, group.log.count, limit, into: &writer) {
                    group.log[$0].encode(into: &$1)
                }
                return true
            case .log:
                go(to: .head)
                place = index + 1
            }
        }
        return false
    }

    private mutating func go(to next: Part) {
        part = next
        told = 0
    }

    private mutating func encode(
        _ row: SnapshotRow, of group: TaskGroup, _ total: Int, _ limit: Int,
        into writer: inout ByteWriter, _ entry: (Int, inout ByteWriter) -> Void
    ) {
        writer.integer(row.rawValue)
        writer.name(group.name)
        writer.integer(UInt32(told))
        let (count, _) = writer.entries(from: told, limit: limit) { place, writer in
            entry(place, &writer)
            return place + 1 < total ? place + 1 : nil
        }
        told += count
    }
}

extension TaskGroup {
    fileprivate func encodeHead(into writer: inout ByteWriter) {
        writer.integer(SnapshotRow.group.rawValue)
        writer.name(name)
        writer.integer(number)
        writer.integer(changed.number)
        writer.integer(founded.number)
        writer.integer(floor.number)
    }
}

extension GroupTable {
    mutating func takeFloor(_ reader: inout ByteReader, now: Moment) throws(WireError) {
        restore(floor: try Self.version("floor", &reader, now: now))
    }

    mutating func take(_ reader: inout ByteReader, now: Moment) throws(WireError) {
        let name = try reader.name("group")
        guard index(of: name) == nil else {
            throw .invalid(field: "group", reason: "\(name) comes twice")
        }
        let number: UInt64 = try reader.integer("view")
        let changed = try Self.version("changed", &reader, now: now)
        guard number > 0, number <= changed.number else {
            throw .outOfRange(field: "view", value: number, maximum: changed.number)
        }
        let founded = try Self.version("founded", &reader, now: now)
        let floor = try Self.version("floor", &reader, now: now)
        restore(
            TaskGroup(
                name: name, number: number, changed: changed, founded: founded, floor: floor))
    }

    mutating func takeMembers(
        _ reader: inout ByteReader, sessions: SessionTable, now: Moment
    ) throws(WireError) {
        let index = try groupIndex(&reader)
        try reader.offset(self[index].members.count)
        for _ in 0..<(try reader.count("members", maximum: ClientLimits.groupMembers)) {
            let member = try GroupMember(from: &reader)
            guard sessions.index(of: member.session) != nil else {
                throw .unknown(field: "session", value: member.session.number)
            }
            guard !belongs(member.session, to: index) else {
                throw .invalid(field: "member", reason: "\(member.session) comes twice")
            }
            guard self[index].members.last?.token ?? FencingToken(0) < member.token,
                member.token.number <= self[index].changed.number
            else { throw .invalid(field: "member", reason: "\(member.token) is out of order") }
            guard self[index].members.count < ClientLimits.groupMembers else {
                throw .invalid(field: "member", reason: "is one too many")
            }
            restore(member, at: index)
        }
    }

    mutating func takeLog(_ reader: inout ByteReader, now: Moment) throws(WireError) {
        let index = try groupIndex(&reader)
        try reader.offset(self[index].log.count)
        for _ in 0..<(try reader.count("entries")) {
            let record = try TaskGroup.Record(from: &reader)
            try check(record, of: index, now: now)
            // Nothing else has the log by now: else each record would copy all before it.
            restore(record, at: index)
        }
    }

    private func check(
        _ record: TaskGroup.Record, of index: Int, now: Moment
    ) throws(WireError) {
        let group = self[index]
        let before = group.log.last
        guard max(group.floor, before?.version ?? .zero) < record.version,
            record.version <= now.version, record.time <= now.time,
            before?.time ?? .zero <= record.time
        else {
            throw .invalid(field: "entry", reason: "\(record.version) is out of order")
        }
        guard record.number >= before?.number ?? 1, record.number <= group.number else {
            throw .invalid(field: "view", reason: "\(record.number) is out of order")
        }
    }

    private func groupIndex(_ reader: inout ByteReader) throws(WireError) -> Int {
        let name = try reader.name("group")
        guard let index = index(of: name) else {
            throw .invalid(field: "group", reason: "\(name) is not known")
        }
        return index
    }

    private static func version(
        _ field: String, _ reader: inout ByteReader, now: Moment
    ) throws(WireError) -> Version {
        let version = try reader.version(field)
        guard version <= now.version else {
            throw .invalid(field: field, reason: "is later than the state")
        }
        return version
    }
}

extension TaskGroup.Record {
    private enum Kind: UInt8 {
        case view = 1
        case message = 2
        case adopted = 3
        case provided = 4
    }

    fileprivate func encode(into writer: inout ByteWriter) {
        writer.integer(version.number)
        writer.integer(time.microseconds)
        writer.integer(number)
        writer.integer(uid)
        switch content {
        case .view(let joined, let departed):
            writer.integer(Kind.view.rawValue)
            writer.list(joined) { $0.encode(into: &$1) }
            writer.list(departed) { gone, writer in
                gone.member.encode(into: &writer)
                writer.integer(gone.reason.rawValue)
            }
        case .message(let message):
            writer.integer(Kind.message.rawValue)
            message.encode(into: &writer)
        case .adopted(let member):
            writer.integer(Kind.adopted.rawValue)
            writer.integer(member.number)
        case .provided(let state):
            writer.integer(Kind.provided.rawValue)
            state.encode(into: &writer)
        }
    }

    fileprivate init(from reader: inout ByteReader) throws(WireError) {
        version = try reader.version("version")
        time = try reader.timestamp("time")
        number = try reader.integer("view")
        uid = try reader.integer("uid")
        let kind: Kind = try reader.choice("entry")
        switch kind {
        case .view:
            let maximum = ClientLimits.groupMembers
            var joined: [GroupMember] = []
            for _ in 0..<(try reader.count("joined", maximum: maximum)) {
                joined.append(try GroupMember(from: &reader))
            }
            var departed: [Departed] = []
            for _ in 0..<(try reader.count("departed", maximum: maximum)) {
                let member = try GroupMember(from: &reader)
                departed.append(Departed(member: member, reason: try reader.choice("reason")))
            }
            content = .view(joined: joined, departed: departed)
        case .message: content = .message(try GroupMessage(from: &reader))
        case .adopted: content = .adopted(try reader.token("member"))
        case .provided: content = .provided(try ProvidedState(from: &reader))
        }
    }
}
