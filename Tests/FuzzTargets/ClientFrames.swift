import ConclaveBase
import ConclaveWire

/// Target `client-frames`: a stream is cut into frames, and each frame's body is read both as a
/// client's and as a daemon's. What decodes must be encoded to the very same bytes.
enum ClientFrames {
    static func run(_ bytes: [UInt8]) {
        var source = ByteSource(bytes)
        if source.flag() {
            let pieceByteCount = 1 + source.choice(of: 64)
            readStream(source.rest(), pieceByteCount: pieceByteCount)
        } else {
            let isComposed = source.flag()
            while !source.isEmpty {
                let frame = composed(&source)
                if isComposed { readBoth(frame) } else { readStream(Self.bytes(of: frame)) }
            }
        }
    }

    /// A frame with a header that is right, so that the bytes need not say how long it is.
    static func composed(_ source: inout ByteSource) -> FrameBuffer.Frame {
        let types = ClientFrameType.allCases
        let type = source.choice(of: types.count + 1)
        let flags = FrameHeader.Flags(rawValue: UInt16(source.byte() & 0xF))
        let number = source.number(near: [1, 2, 3])
        let body = source.bytes(Int(source.byte()))
        let header = FrameHeader(
            bodyByteCount: body.count, type: type < types.count ? types[type].rawValue : 99,
            flags: flags, number: number)
        return FrameBuffer.Frame(header: header, body: body)
    }

    static func bytes(of frame: FrameBuffer.Frame) -> [UInt8] {
        FrameHeader.frame(
            type: frame.header.type, flags: frame.header.flags, number: frame.header.number,
            body: frame.body)
    }

    private static func readStream(_ bytes: [UInt8], pieceByteCount: Int = .max) {
        var buffer = FrameBuffer()
        var rest = bytes[...]
        while !rest.isEmpty {
            buffer.append(Array(rest.prefix(pieceByteCount)))
            rest = rest.dropFirst(pieceByteCount)
            do {
                while let frame = try buffer.next() { readBoth(frame) }
            } catch {
                return
            }
            demand(
                buffer.waitingByteCount <= Int(FrameHeader.maximumLength) + 4,
                "more than a frame waits")
        }
    }

    private static func readBoth(_ frame: FrameBuffer.Frame) {
        _ = readAsRequest(frame)
        _ = readAsAnswer(frame)
    }

    /// Whether it is a request that decodes to its end.
    static func readAsRequest(_ frame: FrameBuffer.Frame) -> Bool {
        guard let type = ClientFrameType(rawValue: frame.header.type) else { return false }
        let body = frame.body
        return switch type {
        case .hello: roundTrip(body, ClientHello.init(from:), { $0.encode(into: &$1) })
        case .open: roundTrip(body, OpenRequest.init(from:), { $0.encode(into: &$1) })
        case .resume: roundTrip(body, ResumeRequest.init(from:), { $0.encode(into: &$1) })
        case .confirm, .unsubscribe:
            roundTrip(
                body, { reader throws(WireError) in try reader.integer("number") as UInt64 },
                { $1.integer($0) })
        case .acquire, .acquireAll, .release, .releaseAll, .downgrade, .upgrade, .limit, .campaign,
            .announce, .resign,
            .handOver, .arrive, .cancel, .transact, .lease, .revoke, .joinGroup, .leaveGroup,
            .evictMember, .sendToGroup, .provideState, .adoptState, .latch:
            roundTrip(
                body, { reader throws(WireError) in try OperationFrame(type, from: &reader) },
                { $0?.encode(into: &$1) })
        case .views:
            roundTrip(
                body, { reader throws(WireError) in try reader.flag("follow") }, { $1.flag($0) })
        case .locks, .why, .observeLeader, .readLeases, .readLatches, .sessions, .history:
            roundTrip(
                body,
                { reader throws(WireError) in
                    guard let query = try ObjectQuery(type, from: &reader) else {
                        throw .unknown(field: "type", value: UInt64(type.rawValue))
                    }
                    return query
                }, { $0.encode(into: &$1) })
        case .addMember:
            roundTrip(
                body,
                { reader throws(WireError) in
                    MemberList.Entry(
                        node: try reader.node("id"),
                        address: Array(
                            try reader.text(
                                "address", maximum: MemberList.maximumAddressByteCount
                            ).utf8))
                },
                { entry, writer in
                    writer.integer(entry.node.number)
                    writer.text(String(decoding: entry.address, as: UTF8.self))
                })
        case .removeMember:
            roundTrip(
                body, { reader throws(WireError) in try reader.node("id") },
                { $1.integer($0.number) })
        case .recover:
            roundTrip(
                body, { reader throws(WireError) in try reader.integer("era") as UInt16 },
                { $1.integer($0) })
        case .disturb:
            roundTrip(
                body,
                { reader throws(WireError) in
                    try reader.flag("has disturbance") ? try Disturbance(from: &reader) : nil
                },
                { disturbance, writer in
                    writer.flag(disturbance != nil)
                    disturbance?.encode(into: &writer)
                })
        case .readKeys: roundTrip(body, KeyQuery.init(from:), { $0.encode(into: &$1) })
        case .watchKeys: roundTrip(body, KeyWatch.init(from:), { $0.encode(into: &$1) })
        case .followGroup: roundTrip(body, GroupFollow.init(from:), { $0.encode(into: &$1) })
        case .goodbye, .status, .members: body.isEmpty
        case .serving, .sessionEnded, .letGo: false
        }
    }

    /// Whether it is a reply or an event that decodes to its end.
    static func readAsAnswer(_ frame: FrameBuffer.Frame) -> Bool {
        let body = frame.body
        if frame.header.flags.contains(.error) {
            return roundTrip(body, Refusal.init(from:), { $0.encode(into: &$1) })
        }
        guard let type = ClientFrameType(rawValue: frame.header.type) else { return false }
        switch type {
        case .hello:
            return roundTrip(body, DaemonHello.init(from:), { $0.encode(into: &$1) })
        case .open, .resume:
            return roundTrip(body, SessionOpened.init(from:), { $0.encode(into: &$1) })
        case .goodbye, .confirm, .unsubscribe, .disturb: return body.isEmpty
        case .serving:
            return roundTrip(body, ServingState.init(from:), { $0.encode(into: &$1) })
        case .sessionEnded:
            return roundTrip(
                body, { reader throws(WireError) in try reader.choice("reason") as SessionEnd },
                { $1.integer($0.rawValue) })
        case .acquire, .acquireAll, .release, .releaseAll, .downgrade, .upgrade, .limit, .campaign,
            .announce, .resign,
            .handOver, .arrive, .cancel, .transact, .lease, .revoke, .joinGroup, .leaveGroup,
            .evictMember, .sendToGroup, .provideState, .adoptState, .latch:
            return roundTrip(body, Reply.init(from:), { $0.encode(into: &$1) })
        case .addMember, .removeMember:
            return roundTrip(
                body, { reader throws(WireError) in try reader.epoch("epoch") },
                { $1.integer($0.number) })
        case .recover:
            return roundTrip(body, RecoverReport.init(from:), { $0.encode(into: &$1) })
        case .letGo:
            return roundTrip(body, LetGoNotice.init(from:), { $0.encode(into: &$1) })
        case .history:
            return roundTrip(body, HistoryReport.init(from:), { $0.encode(into: &$1) })
        case .sessions:
            return roundTrip(body, SessionPage.init(from:), { $0.encode(into: &$1) })
        case .readLeases:
            return roundTrip(body, LeasePage.init(from:), { $0.encode(into: &$1) })
        case .readLatches:
            return roundTrip(body, LatchPage.init(from:), { $0.encode(into: &$1) })
        case .readKeys:
            return roundTrip(body, KeyReport.init(from:), { $0.encode(into: &$1) })
        case .watchKeys:
            return roundTrip(body, KeyNews.init(from:), { $0.encode(into: &$1) })
        case .followGroup:
            return roundTrip(body, GroupNews.init(from:), { $0.encode(into: &$1) })
        case .observeLeader, .status, .members, .views, .locks, .why:
            return readAsReport(type, frame)
        }
    }

    private static func readAsReport(
        _ type: ClientFrameType, _ frame: FrameBuffer.Frame
    ) -> Bool {
        let body = frame.body
        switch type {
        case .observeLeader:
            return roundTrip(body, LeaderState.init(from:), { $0.encode(into: &$1) })
        case .status:
            return roundTrip(body, StatusReport.init(from:), { $0.encode(into: &$1) })
        case .members:
            return roundTrip(
                body, { reader throws(WireError) in try list(&reader, of: MemberReport.init) },
                { $1.list($0) { $0.encode(into: &$1) } })
        case .views where frame.header.flags.contains(.event):
            return roundTrip(body, ViewReport.init(from:), { $0.encode(into: &$1) })
        case .views:
            return roundTrip(
                body, { reader throws(WireError) in try list(&reader, of: ViewReport.init) },
                { $1.list($0) { $0.encode(into: &$1) } })
        case .locks:
            return roundTrip(body, ObjectPage.init(from:), { $0.encode(into: &$1) })
        default:
            return roundTrip(body, WhyReport.init(from:), { $0.encode(into: &$1) })
        }
    }

    private static func list<Value>(
        _ reader: inout ByteReader, of decode: (inout ByteReader) throws(WireError) -> Value
    ) throws(WireError) -> [Value] {
        var values: [Value] = []
        for _ in 0..<(try reader.count("list", maximum: ClientLimits.listed)) {
            values.append(try decode(&reader))
        }
        return values
    }
}

/// Reads a value to the end of `body` and checks that it is written as it was read. False: it does
/// not decode.
func roundTrip<Value: Equatable>(
    _ body: [UInt8], _ decode: (inout ByteReader) throws(WireError) -> Value,
    _ encode: (Value, inout ByteWriter) -> Void
) -> Bool {
    var reader = ByteReader(body)
    guard let value = try? decode(&reader), (try? reader.finish()) != nil else { return false }
    var writer = ByteWriter()
    encode(value, &writer)
    demand(writer.bytes == body, "\(value) was \(body), and is written as \(writer.bytes)")
    return true
}
