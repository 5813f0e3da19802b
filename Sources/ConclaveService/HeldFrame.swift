import ConclaveWire

/// What a connection is told when it takes something again, or when its turn comes. A reply is laid
/// out no sooner: thousands may be held that all tell the same large result.
enum HeldFrame {
    case frame([UInt8], attachPage: Bool)
    case reply(ClientFrameType, number: UInt64, Reply)
    case views(number: UInt64, [GroupPicture.KnownView])

    var bytes: [UInt8] {
        switch self {
        case .frame(let bytes, _): bytes
        case .views(let number, let views):
            FrameHeader.frame(
                type: ClientFrameType.views.rawValue, flags: .reply, number: number,
                reserving: Self.viewByteCount * views.count
            ) { writer in
                writer.list(views) { ViewReport(view: $0.view, at: $0.at).encode(into: &$1) }
            }
        case .reply(let type, let number, let reply):
            FrameHeader.frame(
                type: type.rawValue, flags: .reply, number: number, reserving: 64
            ) { reply.encode(into: &$0) }
        }
    }

    var attachesPage: Bool {
        if case .frame(_, let attachPage) = self { attachPage } else { false }
    }

    /// Bytes that are held for it, about. Replies are kept by the group as well, and are no more than there
    /// are requests.
    var byteCount: Int {
        switch self {
        case .frame(let bytes, _): bytes.count
        case .views(_, let views): Self.viewByteCount * views.count
        case .reply: 0
        }
    }

    /// Of one view, about.
    private static let viewByteCount = 64
}
