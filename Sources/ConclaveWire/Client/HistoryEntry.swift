package import ConclaveBase

/// What kind of object something happened to.
package enum HistoryKind: UInt8, Sendable, CaseIterable {
    /// A semaphore is one, too.
    case lock = 1
    case leaderSlot = 2
    case barrier = 3
    case lease = 4
}

/// How somebody came to have no longer what it held.
package enum HoldingEnd: UInt8, Sendable, CaseIterable {
    /// Let go, or resigned.
    case released = 1
    /// Its session said goodbye while holding.
    case goodbye = 2
    /// Its process died.
    case died = 3
    /// Its session's validity ran out; of a lease, its time.
    case expired = 4
    /// Its session's host was out of the view for longer than the session's time.
    case hostLost = 5
    /// An administrator ended its session.
    case forced = 6
    /// A leader's place went to the standby that it named.
    case handedOver = 7
    /// A lease was given to somebody else.
    case transferred = 8
    /// The history that granted a lease was given up.
    case givenUp = 9
}

/// Somebody who held something, or broke a barrier, as it was known then.
package struct HistoryHolder: Equatable, Sendable {
    package struct Process: Equatable, Sendable {
        package var session: SessionID
        package var host: NodeID
        package var pid: UInt32

        package init(session: SessionID, host: NodeID, pid: UInt32) {
            self.session = session
            self.host = host
            self.pid = pid
        }
    }

    /// `nil`: of a lease, which belongs to no session.
    package var process: Process?
    package var uid: UInt32
    /// Of the session; of a lease, the name that its holder goes by.
    package var label: String

    package init(process: Process?, uid: UInt32, label: String) {
        self.process = process
        self.uid = uid
        self.label = label
    }

    package init(from reader: inout ByteReader) throws(WireError) {
        if try reader.flag("has process") {
            process = Process(
                session: try reader.session("session"), host: try reader.node("host"),
                pid: try reader.integer("pid"))
        }
        uid = try reader.integer("uid")
        label = try reader.text("label", maximum: ClientLimits.label)
    }

    package func encode(into writer: inout ByteWriter) {
        writer.flag(process != nil)
        if let process {
            writer.integer(process.session.number)
            writer.integer(process.host.number)
            writer.integer(process.pid)
        }
        writer.integer(uid)
        writer.text(label)
    }
}

/// What somebody held, and since when.
package struct HistoryHolding: Equatable, Sendable {
    package var holder: HistoryHolder
    package var token: FencingToken
    package var since: Timestamp
    /// Of a lock; what is not one is had alone.
    package var mode: LockMode
    /// Which of a slot's places a leader has; else 0.
    package var place: UInt32

    package init(
        holder: HistoryHolder, token: FencingToken, since: Timestamp, mode: LockMode = .exclusive,
        place: UInt32 = 0
    ) {
        self.holder = holder
        self.token = token
        self.since = since
        self.mode = mode
        self.place = place
    }

    package init(from reader: inout ByteReader) throws(WireError) {
        holder = try HistoryHolder(from: &reader)
        token = try reader.token("token")
        since = try reader.timestamp("since")
        mode = try LockMode(from: &reader)
        place = try reader.place("place")
    }

    package func encode(into writer: inout ByteWriter) {
        holder.encode(into: &writer)
        writer.integer(token.number)
        writer.integer(since.microseconds)
        mode.encode(into: &writer)
        writer.integer(place)
    }
}

/// A generation of a barrier that is over.
package struct HistoryGeneration: Equatable, Sendable {
    package var number: UInt64
    package var parties: UInt32
    package var arrivedCount: UInt32

    package init(number: UInt64, parties: UInt32, arrivedCount: UInt32) {
        self.number = number
        self.parties = parties
        self.arrivedCount = arrivedCount
    }

    package init(from reader: inout ByteReader) throws(WireError) {
        number = try reader.integer("generation")
        parties = try reader.integer("parties")
        arrivedCount = try reader.integer("arrived")
        guard arrivedCount <= parties else {
            throw .outOfRange(
                field: "arrived", value: UInt64(arrivedCount), maximum: UInt64(parties))
        }
    }

    package func encode(into writer: inout ByteWriter) {
        writer.integer(number)
        writer.integer(parties)
        writer.integer(arrivedCount)
    }
}

package enum ObjectEvent: Equatable, Sendable {
    case granted(HistoryHolding)
    /// Had alone from here on, under a token of its own; it was shared under `token` since then.
    case upgraded(HistoryHolding, token: FencingToken, since: Timestamp)
    /// Shared from here on; it was had alone.
    case downgraded(HistoryHolding)
    case ended(HistoryHolding, HoldingEnd)
    case tripped(HistoryGeneration)
    case broken(HistoryGeneration, BarrierBreakReason, by: HistoryHolder)

    private enum Kind: UInt8 {
        case granted = 1
        case upgraded = 2
        case downgraded = 3
        case ended = 4
        case tripped = 5
        case broken = 6
    }

    /// Who has or had it, or broke it.
    package var holder: HistoryHolder? {
        switch self {
        case .granted(let holding), .upgraded(let holding, _, _), .downgraded(let holding),
            .ended(let holding, _):
            holding.holder
        case .tripped: nil
        case .broken(_, _, let holder): holder
        }
    }

    /// Whether such a thing happens to objects of that kind.
    package func isOf(_ kind: HistoryKind) -> Bool {
        switch self {
        case .granted, .ended: kind != .barrier
        case .upgraded, .downgraded: kind == .lock
        case .tripped, .broken: kind == .barrier
        }
    }

    package init(from reader: inout ByteReader) throws(WireError) {
        let kind: Kind = try reader.choice("event")
        switch kind {
        case .granted: self = .granted(try HistoryHolding(from: &reader))
        case .upgraded:
            self = .upgraded(
                try HistoryHolding(from: &reader), token: try reader.token("token before"),
                since: try reader.timestamp("since before"))
        case .downgraded: self = .downgraded(try HistoryHolding(from: &reader))
        case .ended:
            self = .ended(try HistoryHolding(from: &reader), try reader.choice("end"))
        case .tripped: self = .tripped(try HistoryGeneration(from: &reader))
        case .broken:
            self = .broken(
                try HistoryGeneration(from: &reader), try reader.choice("reason"),
                by: try HistoryHolder(from: &reader))
        }
    }

    package func encode(into writer: inout ByteWriter) {
        switch self {
        case .granted(let holding):
            writer.integer(Kind.granted.rawValue)
            holding.encode(into: &writer)
        case .upgraded(let holding, let token, let since):
            writer.integer(Kind.upgraded.rawValue)
            holding.encode(into: &writer)
            writer.integer(token.number)
            writer.integer(since.microseconds)
        case .downgraded(let holding):
            writer.integer(Kind.downgraded.rawValue)
            holding.encode(into: &writer)
        case .ended(let holding, let end):
            writer.integer(Kind.ended.rawValue)
            holding.encode(into: &writer)
            writer.integer(end.rawValue)
        case .tripped(let generation):
            writer.integer(Kind.tripped.rawValue)
            generation.encode(into: &writer)
        case .broken(let generation, let reason, let holder):
            writer.integer(Kind.broken.rawValue)
            generation.encode(into: &writer)
            writer.integer(reason.rawValue)
            holder.encode(into: &writer)
        }
    }
}

/// Something that happened to an object.
package struct HistoryEntry: Equatable, Sendable {
    /// Among all entries of the group, from 0 on: a later one has a larger number.
    package var ordinal: UInt64
    package var version: Version
    package var time: Timestamp
    /// Of the view in which it was ordered.
    package var epoch: Epoch
    package var kind: HistoryKind
    package var event: ObjectEvent

    package init(
        ordinal: UInt64, version: Version, time: Timestamp, epoch: Epoch, kind: HistoryKind,
        event: ObjectEvent
    ) {
        self.ordinal = ordinal
        self.version = version
        self.time = time
        self.epoch = epoch
        self.kind = kind
        self.event = event
    }

    package init(from reader: inout ByteReader) throws(WireError) {
        ordinal = try reader.integer("ordinal")
        version = try reader.version("version")
        time = try reader.timestamp("time")
        epoch = try reader.epoch("epoch")
        kind = try reader.choice("kind")
        event = try ObjectEvent(from: &reader)
        guard event.isOf(kind) else {
            throw .invalid(field: "event", reason: "does not happen to a \(kind)")
        }
    }

    package func encode(into writer: inout ByteWriter) {
        writer.integer(ordinal)
        writer.integer(version.number)
        writer.integer(time.microseconds)
        writer.integer(epoch.number)
        writer.integer(kind.rawValue)
        event.encode(into: &writer)
    }
}
