import CConclaveChecksum

/// CRC-32C (Castagnoli, RFC 3720 appendix B.4).
package struct Checksum {
    private var state: UInt32 = ~0

    package init() {}

    package var value: UInt32 { ~state }

    package mutating func update(_ bytes: UnsafeRawBufferPointer) {
        if Self.hasInstruction {
            state = unsafe conclave_checksum_update(state, bytes.baseAddress, bytes.count)
        } else {
            state = unsafe ChecksumTables.update(state, bytes)
        }
    }

    /// As the eight bytes that a writer makes of it.
    package mutating func update(_ number: UInt64) {
        unsafe withUnsafeBytes(of: number.littleEndian) { unsafe update($0) }
    }

    package static func of(_ bytes: [UInt8]) -> UInt32 {
        var checksum = Checksum()
        unsafe bytes.withUnsafeBytes { unsafe checksum.update($0) }
        return checksum.value
    }

    package static func of(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        var checksum = Checksum()
        unsafe bytes.withUnsafeBytes { unsafe checksum.update($0) }
        return checksum.value
    }

    private static let hasInstruction = conclave_checksum_is_available()
}
