package import ConclaveBase

/// What is wanted of a latch, which opens once it was counted down as often as its count says.
package struct LatchOperation: Equatable, Sendable {
    package enum Action: Equatable, Sendable {
        /// Takes one from what remains. The latch is of that count, or of none yet.
        case countDown(of: UInt32)
        /// Answered when nothing remains. The latch is of that count, or of none yet.
        case wait(of: UInt32)
        /// It is forgotten, open or not; who waits is refused.
        case remove
    }

    package var name: ObjectName
    package var action: Action

    package init(_ name: ObjectName, _ action: Action) {
        self.name = name
        self.action = action
    }

    private enum Kind: UInt8 {
        case countDown = 1
        case wait = 2
        case remove = 3
    }

    package init(from reader: inout ByteReader) throws(WireError) {
        name = try reader.name("latch")
        let kind: Kind = try reader.choice("action")
        switch kind {
        case .countDown: action = .countDown(of: try reader.latchCount("count"))
        case .wait: action = .wait(of: try reader.latchCount("count"))
        case .remove: action = .remove
        }
    }

    package func encode(into writer: inout ByteWriter) {
        writer.name(name)
        switch action {
        case .countDown(let count):
            writer.integer(Kind.countDown.rawValue)
            writer.integer(count)
        case .wait(let count):
            writer.integer(Kind.wait.rawValue)
            writer.integer(count)
        case .remove: writer.integer(Kind.remove.rawValue)
        }
    }
}

/// The answer to a count-down, and to a wait that is over: what there was at that version.
package struct LatchState: Equatable, Sendable {
    package var name: ObjectName
    package var count: UInt32
    /// 0: it is open.
    package var remaining: UInt32

    package init(name: ObjectName, count: UInt32, remaining: UInt32) {
        self.name = name
        self.count = count
        self.remaining = remaining
    }

    package init(from reader: inout ByteReader) throws(WireError) {
        name = try reader.name("latch")
        count = try reader.latchCount("count")
        remaining = try reader.integer("remaining")
        guard remaining <= count else {
            throw .outOfRange(
                field: "remaining", value: UInt64(remaining), maximum: UInt64(count))
        }
    }

    package func encode(into writer: inout ByteWriter) {
        writer.name(name)
        writer.integer(count)
        writer.integer(remaining)
    }
}

extension ByteReader {
    /// More than zero.
    package mutating func latchCount(_ field: String) throws(WireError) -> UInt32 {
        let count: UInt32 = try integer(field)
        guard count > 0 else { throw .invalid(field: field, reason: "must not be 0") }
        return count
    }
}
