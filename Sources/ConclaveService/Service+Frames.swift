import ConclaveBase
import ConclaveCoordination
import ConclaveWire

/// Frames of clients: what they are, and whether they may come now.
extension Service {
    @inline(never)
    mutating func received(
        _ frame: FrameBuffer.Frame, from id: ConnectionID, machine: () -> Coordinator,
        now: Instant, effects: inout [ServiceEffect]
    ) {
        let header = frame.header
        // What is of a connection that is gone is of no interest.
        guard let isGreeted = connections.change(id, { $0.isGreeted }) else { return }
        do {
            if !isGreeted {
                try greet(frame, on: id, now: now, effects: &effects)
            } else if let type = ClientFrameType(rawValue: header.type) {
                try take(type, frame, from: id, machine: machine, now: now, effects: &effects)
            } else {
                unsupported(header, on: id, effects: &effects)
            }
        } catch {
            let refusal = Refusal(.malformed, error.description)
            reject(
                refusal, type: header.type, number: header.number, on: id, now: now,
                effects: &effects)
        }
    }

    private mutating func greet(
        _ frame: FrameBuffer.Frame, on id: ConnectionID, now: Instant,
        effects: inout [ServiceEffect]
    ) throws(WireError) {
        guard frame.header.type == ClientFrameType.hello.rawValue else {
            throw .invalid(field: "type", reason: "the first frame must be a hello")
        }
        var reader = ByteReader(frame.body)
        // A hello of another version may go on in another way: the version alone is looked at.
        let version: UInt16 = try reader.integer("version")
        guard version == ClientLimits.protocolVersion else {
            let message =
                "protocol version \(version) is not spoken here; this daemon speaks version "
                + "\(ClientLimits.protocolVersion)"
            return reject(
                Refusal(.unsupported, message), type: frame.header.type,
                number: frame.header.number, on: id, now: now, effects: &effects)
        }
        reader = ByteReader(frame.body)
        _ = try ClientHello(from: &reader)
        try reader.finish()
        connections[id]?.isGreeted = true
        let hello = DaemonHello(
            version: ClientLimits.protocolVersion, features: 0, node: settings.own.node,
            epoch: epoch, serving: toldServing, minimumTTL: settings.minimumSessionTTL,
            maximumTTL: maximumSessionTTL)
        send(.hello, .reply, number: frame.header.number, to: id, effects: &effects) {
            hello.encode(into: &$0)
        }
    }

    private mutating func take(
        _ type: ClientFrameType, _ frame: FrameBuffer.Frame, from id: ConnectionID,
        machine: () -> Coordinator, now: Instant, effects: inout [ServiceEffect]
    ) throws(WireError) {
        var reader = ByteReader(frame.body)
        let number = frame.header.number
        switch type {
        case .hello:
            throw .invalid(field: "type", reason: "there was a hello already")
        case .open:
            let open = try OpenRequest(from: &reader)
            try reader.finish()
            self.open(open, number: number, on: id, effects: &effects)
        case .resume:
            let resume = try ResumeRequest(from: &reader)
            try reader.finish()
            self.resume(resume, number: number, on: id, machine: machine, effects: &effects)
        case .goodbye:
            try reader.finish()
            goodbye(number: number, on: id, now: now, effects: &effects)
        case .confirm:
            let confirmed: UInt64 = try reader.integer("up to")
            try reader.finish()
            confirm(upTo: confirmed, on: id, machine: machine())
        case .cancel, .acquire, .acquireAll, .release, .releaseAll, .downgrade, .upgrade, .limit,
            .campaign, .announce, .resign, .handOver, .arrive, .transact, .lease, .revoke,
            .joinGroup, .leaveGroup, .evictMember, .sendToGroup, .provideState, .adoptState,
            .latch:
            try request(type, frame, from: id, machine: machine, effects: &effects)
        case .status, .members, .views, .unsubscribe:
            try query(type, frame, from: id, machine: machine(), now: now, effects: &effects)
        case .locks, .why, .observeLeader, .readKeys, .watchKeys, .readLeases, .readLatches,
            .sessions, .history, .followGroup:
            try ask(type, frame, from: id, effects: &effects)
        case .addMember, .removeMember, .recover, .disturb:
            try administer(type, frame, from: id, effects: &effects)
        case .serving, .sessionEnded, .letGo:
            unsupported(frame.header, on: id, effects: &effects)
        }
    }

    private mutating func unsupported(
        _ header: FrameHeader, on id: ConnectionID, effects: inout [ServiceEffect]
    ) {
        let refusal = Refusal(
            .unsupported, "frames of type \(header.type) are not known to this daemon")
        refuse(refusal, type: header.type, number: header.number, on: id, effects: &effects)
    }
}
