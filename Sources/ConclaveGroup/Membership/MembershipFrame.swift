package import ConclaveBase
package import ConclaveWire

/// What members say to each other about views, on the control path.
///
/// Most of it is pings: what is large lies elsewhere, so that these stay small.
package enum MembershipFrame: Equatable, Sendable {
    /// Are you there, and do we hear each other both ways?
    case ping(UInt64)
    case pong(UInt64)
    /// The sender has ended its epoch because of `whom`.
    case accuse(Epoch, whom: NodeID, reason: DepartureReason, silent: Interval)
    /// Asks for a promise; carries the decided view that began the present epoch.
    indirect case prepare(Ballot, decided: NextView)
    indirect case promise(Promise)
    /// A higher ballot was promised.
    case overtaken(Epoch, by: Ballot)
    /// Get level with `trim`, from whoever was told to send you what you lack, and say so.
    case raise(Epoch, Ballot, trim: [UInt64])
    /// Send `to` these messages of the epoch.
    case fill(Epoch, Ballot, to: NodeID, ranges: [FillRange])
    /// Everything below the trim is held and synced.
    case level(Epoch, Ballot)
    indirect case accept(Ballot, NextView)
    case accepted(Epoch, Ballot)
    /// Decided; also the answer to any frame of an older epoch.
    indirect case install(NextView)
    /// Record this founding and confirm it (V24).
    case found(Lineage, founder: Member, members: [NodeID])
    case founded(Lineage, founder: Incarnation, by: Member)
    /// The sender wants a view without it.
    case leave(Epoch)
    /// The member list is to be changed with the next view.
    case change(Epoch, MemberChange)

    private enum Kind: UInt8 {
        case ping = 1
        case pong, accuse, prepare, promise, overtaken, raise, fill, level, accept, accepted
        case install, found, founded, leave, change
    }
}

/// Messages of one sender, by ordinal, that somebody lacks.
package struct FillRange: Equatable, Sendable {
    package var sender: Int
    package var ordinals: Range<UInt64>

    package init(sender: Int, ordinals: Range<UInt64>) {
        self.sender = sender
        self.ordinals = ordinals
    }
}

extension MembershipFrame {
    package func encode(into writer: inout ByteWriter) {
        switch self {
        case .ping(let nonce): writer.kind(Kind.ping, nonce)
        case .pong(let nonce): writer.kind(Kind.pong, nonce)
        case .accuse(let epoch, let whom, let reason, let silent):
            writer.kind(Kind.accuse, epoch.number)
            writer.integer(whom.number)
            writer.integer(reason.rawValue)
            writer.integer(silent.nanoseconds)
        case .prepare(let ballot, let decided):
            writer.integer(Kind.prepare.rawValue)
            writer.ballot(ballot)
            decided.encode(into: &writer)
        case .promise(let promise):
            writer.integer(Kind.promise.rawValue)
            promise.encode(into: &writer)
        case .overtaken(let epoch, let ballot):
            writer.kind(Kind.overtaken, epoch.number)
            writer.ballot(ballot)
        case .raise(let epoch, let ballot, let trim):
            writer.kind(Kind.raise, epoch.number)
            writer.ballot(ballot)
            writer.list(trim) { $1.integer($0) }
        case .fill(let epoch, let ballot, let node, let ranges):
            writer.kind(Kind.fill, epoch.number)
            writer.ballot(ballot)
            writer.integer(node.number)
            writer.list(ranges) { range, writer in
                writer.integer(UInt32(range.sender))
                writer.integer(range.ordinals.lowerBound)
                writer.integer(range.ordinals.upperBound)
            }
        case .level(let epoch, let ballot):
            writer.kind(Kind.level, epoch.number)
            writer.ballot(ballot)
        case .accept(let ballot, let value):
            writer.integer(Kind.accept.rawValue)
            writer.ballot(ballot)
            value.encode(into: &writer)
        case .accepted(let epoch, let ballot):
            writer.kind(Kind.accepted, epoch.number)
            writer.ballot(ballot)
        case .install(let value):
            writer.integer(Kind.install.rawValue)
            value.encode(into: &writer)
        case .found(let lineage, let founder, let members):
            writer.integer(Kind.found.rawValue)
            writer.lineage(lineage)
            writer.member(founder)
            writer.list(members) { $1.integer($0.number) }
        case .founded(let lineage, let founder, let member):
            writer.integer(Kind.founded.rawValue)
            writer.lineage(lineage)
            writer.integer(founder.number)
            writer.member(member)
        case .leave(let epoch): writer.kind(Kind.leave, epoch.number)
        case .change(let epoch, let change):
            writer.kind(Kind.change, epoch.number)
            change.encode(into: &writer)
        }
    }

    /// Whether the frame that comes next says what its sender's disk has. Most do not, and need not
    /// be decoded for that.
    package static func pledges(_ reader: ByteReader) -> Bool {
        var reader = reader
        return switch (try? reader.byte("membership frame")).flatMap(Kind.init) {
        case .promise, .prepare, .accepted, .level, .found, .founded: true
        default: false
        }
    }

    package init(from reader: inout ByteReader) throws(WireError) {
        let number = try reader.byte("membership frame")
        guard let kind = Kind(rawValue: number) else {
            throw .unknown(field: "membership frame", value: UInt64(number))
        }
        switch kind {
        case .ping: self = .ping(try reader.integer("nonce"))
        case .pong: self = .pong(try reader.integer("nonce"))
        case .accuse:
            self = .accuse(
                try reader.epoch("epoch"), whom: try reader.node("whom"),
                reason: try reader.choice("reason"),
                silent: Interval(nanoseconds: try reader.integer("silent")))
        case .prepare:
            let ballot = try reader.ballot("ballot")
            self = .prepare(ballot, decided: try NextView(from: &reader))
        case .promise: self = .promise(try Promise(from: &reader))
        case .overtaken:
            self = .overtaken(try reader.epoch("epoch"), by: try reader.ballot("ballot"))
        case .raise:
            let epoch = try reader.epoch("epoch")
            let ballot = try reader.ballot("ballot")
            var trim: [UInt64] = []
            for _ in 0..<(try reader.count("trim", maximum: View.maximumMembers)) {
                trim.append(try reader.integer("trim"))
            }
            self = .raise(epoch, ballot, trim: trim)
        case .fill: self = try Self.decodeFill(&reader)
        case .level: self = .level(try reader.epoch("epoch"), try reader.ballot("ballot"))
        case .accept:
            let ballot = try reader.ballot("ballot")
            self = .accept(ballot, try NextView(from: &reader))
        case .accepted: self = .accepted(try reader.epoch("epoch"), try reader.ballot("ballot"))
        case .install: self = .install(try NextView(from: &reader))
        case .found:
            let lineage = try reader.lineage("lineage")
            let founder = try reader.member("founder")
            var members: [NodeID] = []
            for _ in 0..<(try reader.count("members", maximum: View.maximumMembers)) {
                members.append(try reader.node("member"))
            }
            self = .found(lineage, founder: founder, members: members)
        case .founded:
            self = .founded(
                try reader.lineage("lineage"),
                founder: Incarnation(try reader.integer("founder")),
                by: try reader.member("by"))
        case .leave: self = .leave(try reader.epoch("epoch"))
        case .change:
            self = .change(try reader.epoch("epoch"), try MemberChange(from: &reader))
        }
    }

    private static func decodeFill(_ reader: inout ByteReader) throws(WireError) -> Self {
        let epoch = try reader.epoch("epoch")
        let ballot = try reader.ballot("ballot")
        let node = try reader.node("to")
        var ranges: [FillRange] = []
        for _ in 0..<(try reader.count("ranges", maximum: View.maximumMembers)) {
            let sender: UInt32 = try reader.integer("sender")
            let lower: UInt64 = try reader.integer("from")
            let upper: UInt64 = try reader.integer("to")
            guard lower <= upper else { throw .invalid(field: "range", reason: "is upside down") }
            ranges.append(FillRange(sender: Int(sender), ordinals: lower..<upper))
        }
        return .fill(epoch, ballot, to: node, ranges: ranges)
    }
}

extension ByteWriter {
    fileprivate mutating func kind<K: RawRepresentable>(
        _ kind: K, _ number: UInt64
    ) where K.RawValue == UInt8 {
        integer(kind.rawValue)
        integer(number)
    }
}
