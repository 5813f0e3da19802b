/// For those who take frames straight out of a receive buffer, or write them straight into a send
/// buffer, without an array for each header.
extension FrameHeader {
    /// Reads the header at the start of `bytes`.
    ///
    /// - Precondition: `bytes` has at least `byteCount` bytes.
    package init(from bytes: UnsafeRawBufferPointer) throws(WireError) {
        precondition(bytes.count >= Self.byteCount)
        let length = UInt32(
            littleEndian: unsafe bytes.loadUnaligned(fromByteOffset: 0, as: UInt32.self))
        let type = unsafe bytes.loadUnaligned(fromByteOffset: 4, as: UInt16.self)
        let flags = unsafe bytes.loadUnaligned(fromByteOffset: 6, as: UInt16.self)
        let number = unsafe bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
        self.init(
            bodyByteCount: try Self.bodyByteCount(ofLength: length),
            type: UInt16(littleEndian: type), flags: Flags(rawValue: UInt16(littleEndian: flags)),
            number: UInt64(littleEndian: number))
    }

    /// Writes the header at the start of `bytes`.
    ///
    /// - Precondition: `bytes` has room for `byteCount` bytes.
    package func encode(into bytes: UnsafeMutableRawBufferPointer) {
        precondition(bytes.count >= Self.byteCount)
        let length = UInt32(bodyByteCount + 12)
        unsafe bytes.storeBytes(of: length.littleEndian, toByteOffset: 0, as: UInt32.self)
        unsafe bytes.storeBytes(of: type.littleEndian, toByteOffset: 4, as: UInt16.self)
        unsafe bytes.storeBytes(of: flags.rawValue.littleEndian, toByteOffset: 6, as: UInt16.self)
        unsafe bytes.storeBytes(of: number.littleEndian, toByteOffset: 8, as: UInt64.self)
    }
}
