import ConclaveBase
import ConclaveCoordination
package import ConclaveGroup
import ConclaveReplication
import ConclaveWire

/// A change of the member list that an administrator asked this daemon for.
package struct MemberWish: Equatable, Sendable {
    /// For `Service.Input.memberChange`, which must follow.
    package var number: UInt64
    package var change: MemberChange
}

/// Who waits for the outcome of a wish.
struct Asker: Equatable {
    var connection: ConnectionID
    var type: ClientFrameType
    var request: UInt64
}

/// What only root and the user that the daemon runs as may ask for.
extension Service {
    mutating func administer(
        _ type: ClientFrameType, _ frame: FrameBuffer.Frame, from id: ConnectionID,
        effects: inout [ServiceEffect]
    ) throws(WireError) {
        var reader = ByteReader(frame.body)
        let node = try reader.node("node")
        let address =
            type == .addMember
            ? try reader.text("address", maximum: ClientLimits.memberAddress) : nil
        try reader.finish()
        guard let process = connections[id]?.process else { return }
        func refuse(_ code: RefusalCode, _ message: String) {
            self.refuse(
                Refusal(code, message), type: type.rawValue, number: frame.header.number, on: id,
                effects: &effects)
        }
        guard process.uid == 0 || process.uid == settings.administrator else {
            return refuse(.denied, "only root and the daemon's own user may change the members")
        }
        guard node != NodeID(0) else { return refuse(.invalid, "0 is no id of a member") }
        var action = MemberChange.Action.remove(node)
        if let address {
            guard let memberAddress = settings.memberAddress else {
                return refuse(
                    .invalid, "this daemon was started without an address for other members")
            }
            guard let known = memberAddress(Array(address.utf8)) else {
                return refuse(.invalid, "'\(address)' is not a numeric address with a port")
            }
            action = .add(MemberList.Entry(node: node, address: known))
        }
        lastWish += 1
        askers[lastWish] = Asker(connection: id, type: type, request: frame.header.number)
        let by = "uid \(process.uid), pid \(process.pid) on node \(settings.own.node)"
        wishes.append(MemberWish(number: lastWish, change: MemberChange(action, by: by)))
    }

    package mutating func takeWishes() -> [MemberWish] {
        defer { wishes = [] }
        return wishes
    }

    mutating func tellOutcome(
        _ outcome: MemberChangeOutcome, of number: UInt64, effects: inout [ServiceEffect]
    ) {
        guard let asker = askers.removeValue(forKey: number),
            connections[asker.connection] != nil
        else { return }
        let refusal: Refusal
        switch outcome {
        case .done(let epoch):
            return send(
                asker.type, .reply, number: asker.request, to: asker.connection, effects: &effects
            ) { $0.integer(epoch.number) }
        case .refused(let why): refusal = Refusal(.refused, why)
        case .unavailable(let why): refusal = Refusal(.unavailable, why)
        case .unknown(let why): refusal = Refusal(.outcomeUnknown, why)
        }
        refuse(
            refusal, type: asker.type.rawValue, number: asker.request, on: asker.connection,
            effects: &effects)
    }
}
