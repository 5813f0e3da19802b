import ConclaveBase
import ConclaveGroup
import ConclaveReplication
import ConclaveService
import ConclaveWire

/// The operator asks over a client socket, as root.
extension ServiceWorld {
    func ask(_ change: MemberChange, _ number: UInt64, of host: Int) {
        endOperatorLink()
        let id = connectStranger(at: host, uid: 0)
        operatorLink = (id, FrameBuffer())
        send(Self.beginning, on: id)
        var body = ByteWriter()
        body.integer(change.node.number)
        if case .add(let entry) = change.action {
            body.text(String(decoding: entry.address, as: UTF8.self))
        }
        let type: ClientFrameType = change.isRemoval ? .removeMember : .addMember
        send(FrameHeader.frame(type: type.rawValue, number: number, body: body.bytes), on: id)
    }

    /// What a daemon says to the operator: in the end, what became of the wish.
    func hear(_ bytes: [UInt8], at host: Int) throws(Violation) {
        operatorLink?.frames.append(bytes)
        while let frame = try nextOperatorFrame() {
            let type = ClientFrameType(rawValue: frame.header.type)
            guard type == .addMember || type == .removeMember else { continue }
            endOperatorLink()
            try watch.administrator.take(
                try outcome(in: frame), of: frame.header.number, on: host,
                checker: watch.checker)
        }
    }

    private func nextOperatorFrame() throws(Violation) -> FrameBuffer.Frame? {
        do throws(WireError) {
            return try operatorLink?.frames.next() ?? nil
        } catch {
            throw Violation(.badInput, "the operator is sent what is no frame: \(error)")
        }
    }

    private func outcome(
        in frame: FrameBuffer.Frame
    ) throws(Violation) -> MemberChangeOutcome {
        var reader = ByteReader(frame.body)
        do throws(WireError) {
            guard frame.header.flags.contains(.error) else {
                return .done(try reader.epoch("epoch"))
            }
            let refusal = try Refusal(from: &reader)
            switch refusal.code {
            case .refused: return .refused(refusal.message)
            case .unavailable: return .unavailable(refusal.message)
            case .outcomeUnknown: return .unknown(refusal.message)
            default:
                throw WireError.invalid(field: "code", reason: refusal.message)
            }
        } catch {
            throw Violation(.badInput, "the operator is answered: \(error)")
        }
    }

    private func endOperatorLink() {
        guard let id = operatorLink?.id else { return }
        operatorLink = nil
        disconnect(id)
        timeline.schedule(
            .work(index: Self.deathIndex, stamp: UInt32(truncatingIfNeeded: id.number)),
            after: .milliseconds(1))
    }
}
