public import ConclaveBase
import ConclaveWire

/// The keys of the configuration as they were at one version, to be kept outside of the group and put
/// back into it, or into another one. Ephemeral keys are not among them: they go with sessions.
///
///     let backup = try await conclave.configuration.backup()
///     let bytes = backup.encoded()
public struct ConfigurationBackup: Hashable, Sendable {
    public struct Entry: Hashable, Sendable {
        public let key: String
        public let value: [UInt8]
    }

    /// All keys are as they were at this one.
    public let version: Version
    /// Only keys that begin so were asked for.
    public let prefix: String
    /// By name.
    public let entries: [Entry]

    init(_ listing: ConfigurationListing, prefix: String) {
        version = listing.version
        self.prefix = prefix
        entries = listing.entries.filter { $0.stamp.session == nil }
            .map { Entry(key: $0.key, value: $0.value) }
    }

    // MARK: - As bytes

    private static let magic = Array("CNCLKEYS".utf8)
    private static let format: UInt16 = 1
    private static let checksumByteCount = 4
    /// More keys than any group has.
    private static let maximumCount = 1 << 24

    /// Magic, format, version, prefix, the count of the keys, each key with its value, and the CRC-32C of
    /// all that; numbers are little-endian.
    public func encoded() -> [UInt8] {
        var writer = ByteWriter(reserving: entries.reduce(64) { $0 + $1.value.count + 64 })
        writer.raw(Self.magic)
        writer.integer(Self.format)
        writer.integer(version.number)
        writer.text(prefix)
        writer.count(entries.count)
        for entry in entries {
            writer.text(entry.key)
            writer.bytes(entry.value)
        }
        writer.integer(Checksum.of(writer.bytes))
        return writer.bytes
    }

    /// - Throws: `invalid`: the bytes are no backup, of a later format, cut short or damaged.
    public init(decoding bytes: [UInt8]) throws(ConclaveError) {
        guard bytes.starts(with: Self.magic) else {
            throw ConclaveError(.invalid, "this is no backup of Conclave's configuration")
        }
        do {
            try self.init(checked: bytes)
        } catch {
            throw ConclaveError(.invalid, "the backup cannot be used: \(error)")
        }
    }

    private init(checked bytes: [UInt8]) throws(WireError) {
        var reader = ByteReader(bytes)
        _ = try reader.array("magic", count: Self.magic.count)
        let format: UInt16 = try reader.integer("format")
        guard format == Self.format else {
            throw .invalid(
                field: "format", reason: "is \(format), and this program knows \(Self.format)")
        }
        let end = bytes.count - Self.checksumByteCount
        var tail = ByteReader(bytes, in: max(0, end)..<bytes.count)
        let checksum: UInt32 = try tail.integer("checksum")
        guard checksum == Checksum.of(bytes[..<end]) else {
            throw .invalid(
                field: "checksum", reason: "is not that of the rest: it is cut short, or damaged")
        }
        version = Version(try reader.integer("version"))
        prefix = try reader.text("prefix", maximum: ObjectName.maximumByteCount)
        entries = try Self.entries(from: &reader)
        _ = try reader.array("checksum", count: Self.checksumByteCount)
        try reader.finish()
    }

    private static func entries(from reader: inout ByteReader) throws(WireError) -> [Entry] {
        let count = try reader.count("keys", maximum: maximumCount)
        var entries: [Entry] = []
        var last: ObjectName?
        for _ in 0..<count {
            let name = try reader.name("key")
            if let last, last >= name {
                throw .invalid(field: "key", reason: "\(name) does not come after \(last)")
            }
            last = name
            entries.append(
                Entry(
                    key: name.text,
                    value: try reader.bytes("value", maximum: ClientLimits.keyValue)))
        }
        return entries
    }
}
