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
        for byte in reader.rest() { mix(UInt64(byte)) }
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
        digest = (digest ^ value) &* 0x9E37_79B9_7F4A_7C15
        digest ^= digest >> 31
    }

    private mutating func add(_ kind: Entry.Kind, to effects: inout [Entry]) {
        let entry = Entry(kind: kind, version: version, time: time, digest: digest)
        effects.append(entry)
        if trail.count >= Self.trailLimit { trail.removeFirst(Self.trailLimit / 2) }
        trail.append(entry)
    }

    package func remembers(_ member: Member) -> Bool {
        remembered.contains(member)
    }

    package func encodeSnapshot() -> [UInt8] {
        var writer = ByteWriter()
        writer.integer(digest)
        writer.integer(version.number)
        writer.integer(time.microseconds)
        writer.list(remembered) { $1.member($0) }
        writer.bytes(ballast)
        return writer.bytes
    }

    /// Bytes that make snapshots of different lengths and that decoding checks.
    private var ballast: [UInt8] {
        Array(repeating: UInt8(truncatingIfNeeded: digest), count: Int(digest % Self.ballastLimit))
    }

    package init(snapshot: [UInt8]) throws(WireError) {
        var reader = ByteReader(snapshot)
        digest = try reader.integer("digest")
        version = try reader.version("version")
        time = try reader.timestamp("time")
        for _ in 0..<(try reader.count("remembered", maximum: Self.rememberedCount)) {
            remembered.append(try reader.member("remembered"))
        }
        let read = try reader.bytes("ballast", maximum: Int(Self.ballastLimit))
        try reader.finish()
        guard read == ballast else {
            throw .invalid(field: "ballast", reason: "is not what the digest makes of it")
        }
    }
}
