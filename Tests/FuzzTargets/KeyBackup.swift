import Conclave
import ConclaveWire

/// Target `backup`: a file with keys. What is taken is written again as the same bytes. Since no fuzzer
/// finds a checksum, bytes that have none get theirs.
enum KeyBackup {
    static func run(_ bytes: [UInt8]) {
        read(bytes)
        var writer = ByteWriter()
        writer.raw(bytes)
        writer.integer(Checksum.of(bytes))
        read(writer.bytes)
    }

    private static func read(_ bytes: [UInt8]) {
        do {
            let backup = try ConfigurationBackup(decoding: bytes)
            demand(backup.encoded() == bytes, "a backup is written otherwise than it was read")
        } catch {
            demand(!error.message.isEmpty, "a backup is refused without a reason")
        }
    }
}
