import ConclaveBase
import ConclaveCoordination
package import ConclaveGroup
package import ConclaveReplication
package import ConclaveWire

/// What an administrator asked this daemon for.
package struct Wish: Equatable, Sendable {
    package enum Content: Equatable, Sendable {
        /// `Service.Input.memberChange` must follow.
        case change(MemberChange)
        /// `Service.Input.salvaged` must follow.
        case salvage(SalvageWish)
        /// Nothing: whatever goes wrong by order ends. `Service.Input.disturbed` must follow.
        case disturb(Disturbance?, by: String)
    }

    /// For the input that must follow.
    package var number: UInt64
    package var content: Content
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
        guard let process = connections[id]?.process else { return }
        let by = "uid \(process.uid), pid \(process.pid) on node \(settings.own.node)"
        var reader = ByteReader(frame.body)
        var wanted: Wanted
        switch type {
        case .recover:
            wanted = .wish(.salvage(SalvageWish(eraAtLeast: try reader.integer("era"), by: by)))
            try reader.finish()
        case .disturb: wanted = try disturbance(from: &reader, by: by)
        default: wanted = try change(type, from: &reader, by: by)
        }
        if !isAdministrator(id) { wanted = .refusal(Self.notAdministrator) }
        switch wanted {
        case .wish(let content):
            lastWish += 1
            askers[lastWish] = Asker(connection: id, type: type, request: frame.header.number)
            wishes.append(Wish(number: lastWish, content: content))
        case .refusal(let refusal):
            refuse(
                refusal, type: type.rawValue, number: frame.header.number, on: id,
                effects: &effects)
        }
    }

    func isAdministrator(_ id: ConnectionID) -> Bool {
        let uid = connections[id]?.process.uid
        return uid == 0 || uid == settings.administrator
    }

    static let notAdministrator = Refusal(
        .denied, "only root and the daemon's own user may do this")

    private enum Wanted {
        case wish(Wish.Content)
        case refusal(Refusal)
    }

    private func change(
        _ type: ClientFrameType, from reader: inout ByteReader, by: String
    ) throws(WireError) -> Wanted {
        let node = try reader.node("node")
        let address =
            type == .addMember
            ? try reader.text("address", maximum: ClientLimits.memberAddress) : nil
        try reader.finish()
        guard node != NodeID(0) else {
            return .refusal(Refusal(.invalid, "0 is no id of a member"))
        }
        guard let address else { return .wish(.change(MemberChange(.remove(node), by: by))) }
        guard let memberAddress = settings.memberAddress else {
            return .refusal(
                Refusal(
                    .invalid, "this daemon was started without an address for other members"))
        }
        guard let known = memberAddress(Array(address.utf8)) else {
            return .refusal(
                Refusal(.invalid, "'\(address)' is not a numeric address with a port"))
        }
        let entry = MemberList.Entry(node: node, address: known)
        return .wish(.change(MemberChange(.add(entry), by: by)))
    }

    private func disturbance(
        from reader: inout ByteReader, by: String
    ) throws(WireError) -> Wanted {
        let wanted = try reader.flag("has disturbance") ? try Disturbance(from: &reader) : nil
        try reader.finish()
        guard settings.mayBeDisturbed else {
            return .refusal(
                Refusal(
                    .denied,
                    "this daemon lets nobody disturb it: its configuration has no chaos: true"))
        }
        return .wish(.disturb(wanted, by: by))
    }

    /// Nothing: it is being done.
    @inline(never)
    mutating func tellDisturbed(
        _ number: UInt64, _ wanted: Disturbance?, refusal: Refusal?, now: Instant,
        effects: inout [ServiceEffect]
    ) {
        if let refusal { return refuse(number, refusal, effects: &effects) }
        disturbances.note(wanted, now: now)
        grant(number, effects: &effects) { _ in }
    }

    package mutating func takeWishes() -> [Wish] {
        defer { wishes = [] }
        return wishes
    }

    mutating func tellOutcome(
        _ outcome: MemberChangeOutcome, of number: UInt64, effects: inout [ServiceEffect]
    ) {
        switch outcome {
        case .done(let epoch): grant(number, effects: &effects) { $0.integer(epoch.number) }
        case .refused(let why): refuse(number, Refusal(.refused, why), effects: &effects)
        case .unavailable(let why):
            refuse(number, Refusal(.unavailable, why), effects: &effects)
        case .unknown(let why): refuse(number, Refusal(.outcomeUnknown, why), effects: &effects)
        }
    }

    mutating func tellOutcome(
        _ outcome: SalvageOutcome, of number: UInt64, effects: inout [ServiceEffect]
    ) {
        switch outcome {
        case .done(let report):
            let told = RecoverReport(
                epoch: report.epoch, lineage: report.lineage, version: report.version,
                appliedCount: UInt64(report.appliedCount), kept: report.kept,
                removed: report.removed, quietFor: report.quietFor,
                stateWasLost: report.stateWasLost)
            grant(number, effects: &effects) { told.encode(into: &$0) }
        case .refused(let why): refuse(number, Refusal(.refused, why), effects: &effects)
        }
    }

    /// Who asked, if it is still there to be told.
    private mutating func takeAsker(_ number: UInt64) -> Asker? {
        guard let asker = askers.removeValue(forKey: number),
            connections[asker.connection] != nil
        else { return nil }
        return asker
    }

    private mutating func grant(
        _ number: UInt64, effects: inout [ServiceEffect], _ body: (inout ByteWriter) -> Void
    ) {
        guard let asker = takeAsker(number) else { return }
        send(
            asker.type, .reply, number: asker.request, to: asker.connection, effects: &effects,
            body: body)
    }

    private mutating func refuse(
        _ number: UInt64, _ refusal: Refusal, effects: inout [ServiceEffect]
    ) {
        guard let asker = takeAsker(number) else { return }
        refuse(
            refusal, type: asker.type.rawValue, number: asker.request, on: asker.connection,
            effects: &effects)
    }
}
