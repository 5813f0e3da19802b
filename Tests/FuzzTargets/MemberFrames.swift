import ConclaveBase
import ConclaveFabric
import ConclaveGroup
import ConclaveWire

/// Target `member-frames`: the hello, frames about views, and the framing of a member's stream,
/// which must give the same frames however the stream is cut.
enum MemberFrames {
    static func run(_ bytes: [UInt8]) {
        var source = ByteSource(bytes)
        switch source.choice(of: 4) {
        case 0: readHello(source.rest())
        case 1:
            _ = roundTrip(
                source.rest(), MembershipFrame.init(from:), { $0.encode(into: &$1) })
        case 2:
            _ = roundTrip(source.rest(), ViewRecord.init(from:), { $0.encode(into: &$1) })
        default: cut(&source)
        }
    }

    private static func readHello(_ body: [UInt8]) {
        guard let hello = try? Hello(from: body) else { return }
        let encoded = hello.encode()
        demand(body.starts(with: encoded), "a hello is written in another way")
        let own = Hello(
            lineage: Lineage(high: 1, low: 2), member: hello.member, to: hello.to, digest: 3)
        _ = hello.refusal(by: own)
        _ = own.refusal(by: hello)
    }

    private static func cut(_ source: inout ByteSource) {
        let maximum = source.flag() ? 64 : Int(FrameHeader.maximumLength)
        let pieces = (0..<4).map { _ in 1 + source.choice(of: 40) }
        var stream: [UInt8] = []
        if source.flag() {
            while !source.isEmpty {
                stream += ClientFrames.bytes(of: ClientFrames.composed(&source))
            }
        } else {
            stream = source.rest()
        }
        let whole = frames(of: stream, pieces: [max(1, stream.count)], maximum: maximum)
        let parts = frames(of: stream, pieces: pieces, maximum: maximum)
        demand(whole == parts, "the frames depend on how the stream is cut")
    }

    private static func frames(
        of stream: [UInt8], pieces: [Int], maximum: Int
    ) -> [FrameBuffer.Frame] {
        let assembler = FrameAssembler(maximumBodyByteCount: maximum)
        var frames: [FrameBuffer.Frame] = []
        var rest = stream[...]
        var turn = 0
        while !rest.isEmpty {
            let piece = Array(rest.prefix(pieces[turn % pieces.count]))
            rest = rest.dropFirst(piece.count)
            turn += 1
            let isGood = piece.withUnsafeBytes { bytes in
                var input = bytes
                do {
                    while let frame = try assembler.next(from: &input) {
                        frames.append(
                            FrameBuffer.Frame(header: frame.header, body: Array(frame.body)))
                    }
                } catch {
                    return false
                }
                return true
            }
            guard isGood else { break }
        }
        return frames
    }
}
