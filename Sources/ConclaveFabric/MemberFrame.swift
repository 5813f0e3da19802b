import ConclaveWire

/// What the frames between members are. Layouts:
///
///     hello     see `Hello`
///     refusal   number: what kind, 0 or `numberTaken`; text (u16 length, UTF-8): why the speaker
///               gives this connection up; its last frame
///     control   the bytes
///     row       number: the epoch; u32 offset, the bytes
///
/// A row write that is longer than a frame comes in parts; the last one has the flag `last`, and
/// the receiver sees all of it at once or nothing.
enum MemberFrame {
    static let hello: UInt16 = 1
    static let refusal: UInt16 = 2
    static let control: UInt16 = 3
    static let row: UInt16 = 4

    /// The number of a refusal, because another process runs under the node's number.
    static let numberTaken: UInt64 = 1

    static let maximumBodyByteCount = Int(FrameHeader.maximumLength) - 12
    static let rowHeaderByteCount = 4
    static let maximumRowPartByteCount = maximumBodyByteCount - rowHeaderByteCount
    /// Bytes of a refusal's text that are kept.
    static let maximumRefusalByteCount = 512
}
