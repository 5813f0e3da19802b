package import ConclaveBase

/// What an administrator has a daemon suffer for a while, to see how programs take it.
package struct Disturbance: Equatable, Sendable {
    package enum Kind: Equatable, Sendable {
        /// Nothing comes from that member or goes to it; the connection stays.
        case cut(NodeID)
        /// The daemon stands still.
        case stall
        /// Each sync of the disk takes so much longer.
        case slowDisk(by: Interval)
    }

    package var kind: Kind
    package var duration: Interval

    package init(_ kind: Kind, for duration: Interval) {
        self.kind = kind
        self.duration = duration
    }

    /// What a disturbance may last. A daemon that stands still answers nobody, not even who wants it to end.
    package static let longest = Interval.seconds(600)
    package static let longestStall = Interval.seconds(60)
    package static let longestSync = Interval.seconds(10)
}

extension Disturbance {
    private enum Code: UInt8 {
        case cut = 1
        case stall = 2
        case slowDisk = 3
    }

    package init(from reader: inout ByteReader) throws(WireError) {
        let code: UInt8 = try reader.integer("kind")
        switch Code(rawValue: code) {
        case .cut: kind = .cut(try reader.node("node"))
        case .stall: kind = .stall
        case .slowDisk:
            kind = .slowDisk(by: try reader.interval("by", maximum: Self.longestSync))
        case nil: throw .unknown(field: "kind", value: UInt64(code))
        }
        let longest = kind == .stall ? Self.longestStall : Self.longest
        duration = try reader.interval("duration", maximum: longest)
    }

    package func encode(into writer: inout ByteWriter) {
        switch kind {
        case .cut(let node):
            writer.integer(Code.cut.rawValue)
            writer.integer(node.number)
        case .stall: writer.integer(Code.stall.rawValue)
        case .slowDisk(let pause):
            writer.integer(Code.slowDisk.rawValue)
            writer.integer(pause.nanoseconds)
        }
        writer.integer(duration.nanoseconds)
    }
}

extension ByteReader {
    fileprivate mutating func interval(
        _ field: String, maximum: Interval
    ) throws(WireError) -> Interval {
        let interval = Interval(nanoseconds: try integer(field))
        guard interval > .zero, interval <= maximum else {
            throw .invalid(field: field, reason: "\(interval) is not between 0 and \(maximum)")
        }
        return interval
    }
}
