package import ConclaveBase

/// What kind of object something happened to.
package enum HistoryKind: UInt8, Sendable, CaseIterable {
    /// A semaphore is one, too.
    case lock = 1
    case leaderSlot = 2
    case barrier = 3
    case lease = 4
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
    indirect case upgraded(HistoryHolding, token: FencingToken, since: Timestamp)
    /// Shared from here on; it was had alone.
    case downgraded(HistoryHolding)
    case ended(HistoryHolding, HoldingEnd)
    case tripped(HistoryGeneration)
    case broken(HistoryGeneration, BarrierBreakReason, by: HistoryHolder)
    /// A semaphore gives out another number of permits from here on.
    case limited(from: UInt32, to: UInt32, by: HistoryHolder)
    /// Nobody is granted the lock for so long from here on, since a holder was lost.
    case closed(Interval)
    case opened

    private enum Kind: UInt8 {
        case granted = 1
        case upgraded = 2
        case downgraded = 3
        case ended = 4
        case tripped = 5
        case broken = 6
        case limited = 7
        case closed = 8
        case opened = 9
    }

    /// Who has or had it, broke it, or changed its limit.
    package var holder: HistoryHolder? {
        switch self {
        case .granted(let holding), .upgraded(let holding, _, _), .downgraded(let holding),
            .ended(let holding, _):
            holding.holder
        case .tripped, .closed, .opened: nil
        case .broken(_, _, let holder), .limited(_, _, let holder): holder
        }
    }

    /// Whether such a thing happens to objects of that kind.
    package func isOf(_ kind: HistoryKind) -> Bool {
        switch self {
        case .granted, .ended: kind != .barrier
        case .upgraded, .downgraded, .limited, .closed, .opened: kind == .lock
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
        case .limited:
            self = .limited(
                from: try reader.integer("limit before"), to: try reader.integer("limit"),
                by: try HistoryHolder(from: &reader))
        case .closed: self = .closed(try reader.lockDelay("closed for"))
        case .opened: self = .opened
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
        case .limited(let before, let limit, let holder):
            writer.integer(Kind.limited.rawValue)
            writer.integer(before)
            writer.integer(limit)
            holder.encode(into: &writer)
        case .closed(let delay):
            writer.integer(Kind.closed.rawValue)
            writer.integer(delay.nanoseconds)
        case .opened:
            writer.integer(Kind.opened.rawValue)
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
    package var event: ObjectEvent
    package var kind: HistoryKind

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
