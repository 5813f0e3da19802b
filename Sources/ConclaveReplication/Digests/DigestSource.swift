import ConclaveBase
import ConclaveWire

/// The digest of a state at one version, made in pieces. A class, so that a turn that has none to
/// make need not know how large a state is.
final class DigestSource<Machine: StateMachine> {
    let version: Version
    private var state: Machine.Frozen
    private var digest = StateDigest()

    init(_ version: Version, of machine: Machine) {
        self.version = version
        state = machine.freeze()
    }

    /// Takes rows of about so many bytes; the digest, once all are taken.
    func next(_ byteCount: Int) -> UInt64? {
        var writer = ByteWriter(reserving: min(byteCount, 1 << 16))
        while writer.bytes.count < byteCount {
            let start = writer.bytes.count
            guard state.encodeRow(into: &writer) else { return digest.value }
            digest.add(rowOf: writer.bytes, in: start..<writer.bytes.count)
        }
        return nil
    }
}
