package import ConclaveBase
import ConclaveReplication
package import ConclaveWire

/// The smallest state machine that notices everything: its state is a hash over all that was ever
/// applied, in order.
package struct LogMachine: StateMachine {
    /// One step of the history, and the hash after it.
    package struct Entry: Equatable, Sendable {
        package enum Kind: Equatable, Sendable {
            /// A command; its first eight bytes are the number its proposer gave it.
            case applied(number: UInt64)
            case installed(Epoch)
        }

        package var kind: Kind
        package var version: Version
        package var time: Timestamp
        package var digest: UInt64
        /// The state it comes from was corrupted on purpose, here or before it was learned.
        package var isTainted = false
    }

    package typealias Effect = Entry

    /// Incarnations that left the view, the last ones.
    private static let rememberedCount = 6
    /// Steps that are kept for the checker; of a longer history the beginning is dropped.
    private static let trailLimit = 16_384
    private static let ballastLimit: UInt64 = 6_000

    package private(set) var digest: UInt64 = 0x6A09_E667_F3BC_C908
    package private(set) var version = Version.zero
    package private(set) var time = Timestamp.zero
    private var remembered: [Member] = []
    /// For the checkers: this state comes from a corrupted one. It goes wherever the state goes.
    package private(set) var isTainted = false
    /// What this instance applied since it was made or read from a snapshot. Not replicated.
    package private(set) var trail: [Entry] = []

    package init() {}

    package mutating func apply(
        _ command: ByteReader, at version: Version, time: Timestamp, effects: inout [Entry]
    ) {
        var reader = command
        let number: UInt64 = (try? reader.integer("number")) ?? 0
        mix(version.number)
        mix(time.microseconds)
        mix(number)
        digest = unsafe reader.withRest { unsafe Self.mix($0, into: digest) }
        self.version = version
        self.time = time
        add(.applied(number: number), to: &effects)
    }

    package mutating func install(
        _ view: InstalledView, at version: Version, time: Timestamp, effects: inout [Entry]
    ) {
        mix(view.view.epoch.number)
        for member in view.view.members { mix(member.incarnation.number) }
        for departed in view.departed + view.absent {
            mix(UInt64(bitPattern: departed.silent.nanoseconds))
        }
        remembered += view.departed.map(\.member)
        remembered.removeFirst(max(0, remembered.count - Self.rememberedCount))
        self.version = version
        self.time = time
        add(.installed(view.view.epoch), to: &effects)
    }

    private mutating func mix(_ value: UInt64) {
        digest = Self.mix(value, into: digest)
    }

    private static func mix(_ value: UInt64, into digest: UInt64) -> UInt64 {
        let mixed = (digest ^ value) &* 0x9E37_79B9_7F4A_7C15
        return mixed ^ mixed >> 31
    }

    private static func mix(_ bytes: UnsafeRawBufferPointer, into digest: UInt64) -> UInt64 {
        var digest = digest
        let wordsEnd = bytes.count & ~7
        for offset in stride(from: 0, to: wordsEnd, by: 8) {
            let word = unsafe bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            digest = mix(UInt64(littleEndian: word), into: digest)
        }
        for offset in wordsEnd..<bytes.count {
            digest = unsafe mix(UInt64(bytes[offset]), into: digest)
        }
        return digest
    }

    private mutating func add(_ kind: Entry.Kind, to effects: inout [Entry]) {
        let entry = Entry(
            kind: kind, version: version, time: time, digest: digest, isTainted: isTainted)
        effects.append(entry)
        if trail.count >= Self.trailLimit { trail.removeFirst(Self.trailLimit / 2) }
        trail.append(entry)
    }

    /// Flips a bit of the state, as bad memory would.
    package mutating func corrupt(bit: UInt64) {
        digest ^= 1 << (bit % 64)
        isTainted = true
    }

    package var rowCount: Int { 1 }

    package func remembers(_ member: Member) -> Bool {
        remembered.contains(member)
    }

    package func freeze() -> FrozenLog { FrozenLog(self) }

    package func makeBuilder() -> LogBuilder { LogBuilder() }

    /// Bytes that make snapshots of different lengths and that a builder checks.
    fileprivate var ballastByteCount: Int { Int(digest % Self.ballastLimit) }

    fileprivate mutating func take(_ reader: inout ByteReader) throws(WireError) {
        digest = try reader.integer("digest")
        version = try reader.version("version")
        time = try reader.timestamp("time")
        for _ in 0..<(try reader.count("remembered", maximum: Self.rememberedCount)) {
            remembered.append(try reader.member("remembered"))
        }
        isTainted = try reader.flag("tainted")
    }

    fileprivate func encode(into writer: inout ByteWriter) {
        writer.integer(digest)
        writer.integer(version.number)
        writer.integer(time.microseconds)
        writer.list(remembered) { $1.member($0) }
        writer.flag(isTainted)
    }
}

/// A log machine's state in many rows: what is known of it, then ballast.
package struct FrozenLog: FrozenState {
    /// Small, so that a snapshot takes several turns though it is short.
    fileprivate static let rowByteCount = 100

    private let machine: LogMachine
    /// Rows told.
    private var told = 0

    fileprivate init(_ machine: LogMachine) {
        self.machine = machine
    }

    package mutating func encodeRow(into writer: inout ByteWriter) -> Bool {
        let start = (told - 1) * Self.rowByteCount
        guard told == 0 || start < machine.ballastByteCount else { return false }
        writer.integer(UInt32(told))
        if told == 0 {
            machine.encode(into: &writer)
        } else {
            let count = min(Self.rowByteCount, machine.ballastByteCount - start)
            writer.bytes(
                Array(repeating: UInt8(truncatingIfNeeded: machine.digest), count: count))
        }
        told += 1
        return true
    }
}

package struct LogBuilder: StateBuilder {
    private var machine = LogMachine()
    private var taken = 0
    private var ballast: [UInt8] = []

    package mutating func take(_ row: ByteReader) throws(WireError) {
        var reader = row
        guard try reader.integer("row") == UInt32(taken) else {
            throw .invalid(field: "row", reason: "is not the next one")
        }
        if taken == 0 {
            try machine.take(&reader)
        } else {
            ballast += try reader.bytes("ballast", maximum: FrozenLog.rowByteCount)
        }
        taken += 1
        try reader.finish()
    }

    package mutating func finish() throws(WireError) -> LogMachine {
        let byte = UInt8(truncatingIfNeeded: machine.digest)
        guard ballast.count == machine.ballastByteCount, ballast.allSatisfy({ $0 == byte }) else {
            throw .invalid(field: "ballast", reason: "is not what the digest makes of it")
        }
        return machine
    }
}
