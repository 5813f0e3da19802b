import ConclaveBase
import ConclaveCoordination
import ConclaveWire
import TestSupport
import Testing

/// A coordinator and the total order that drives it, with one view installed.
struct Stage {
    static let members = (1...3).map { member(UInt32($0)) }

    private(set) var coordinator: Coordinator
    private(set) var version = Version(startOfEra: 1)
    var time = Timestamp(microseconds: 1_000_000)
    /// Of the last command.
    private(set) var effects: [CoordinationEffect] = []

    init(quotas: Quotas = Quotas(), stateWasLost: Bool = false) {
        coordinator = Coordinator(quotas: quotas)
        install(Self.members, stateWasLost: stateWasLost)
    }

    static func member(_ number: UInt32, incarnation: UInt64 = 1) -> Member {
        Member(node: NodeID(number), incarnation: Incarnation(incarnation))
    }

    static func process(_ pid: UInt32, host: UInt32 = 1, uid: UInt32 = 1_000) -> ProcessIdentity {
        ProcessIdentity(
            host: NodeID(host), pid: pid, startTime: UInt64(pid) + 5, bootID: 77, uid: uid,
            gid: uid, unit: "app-\(pid).service")
    }

    var epoch: Epoch { coordinator.view.epoch }

    mutating func install(
        _ members: [Member], stateWasLost: Bool = false, historyWasGivenUp: Bool = false
    ) {
        version = version.next
        effects = []
        coordinator.install(
            InstalledView(
                view: View(epoch: epoch.next, members: members), joined: [], departed: [],
                absent: [], minimumMembers: 2, stateWasLost: stateWasLost,
                historyWasGivenUp: historyWasGivenUp),
            at: version, time: time, effects: &effects)
    }

    mutating func apply(_ command: Command) {
        apply(bytes: command.bytes)
    }

    mutating func apply(bytes: [UInt8]) {
        version = version.next
        effects = []
        coordinator.apply(ByteReader(bytes), at: version, time: time, effects: &effects)
    }

    /// Replaces the coordinator by one read from its snapshot.
    mutating func restore() throws {
        coordinator = try Coordinator(
            snapshot: coordinator.encodeSnapshot(), quotas: coordinator.quotas)
    }

    static func open(
        _ pid: UInt32, id: UInt64? = nil, host: UInt32 = 1, uid: UInt32 = 1_000
    ) -> OpenCommand {
        OpenCommand(
            id: Secret(high: 1, low: id ?? UInt64(pid)), secret: Secret(high: 2, low: UInt64(pid)),
            ttl: .seconds(5), label: "label-\(pid)",
            process: process(pid, host: host, uid: uid), member: member(host),
            nonce: UInt64(pid) * 10)
    }

    /// Opens a session of the process `pid`, at the member of `host`.
    mutating func open(_ pid: UInt32, host: UInt32 = 1) -> SessionID {
        apply(.open(Self.open(pid, host: host)))
        return SessionID(version.number)
    }

    /// Opens a session for each, on hosts 1 to `hostCount` in turn.
    mutating func open(all pids: ClosedRange<UInt32>, hostCount: UInt32 = 1) -> [SessionID] {
        pids.map { open($0, host: ($0 - 1) % hostCount + 1) }
    }

    mutating func request(
        _ session: SessionID, _ number: UInt64, confirmed: UInt64 = 0, _ operation: Operation
    ) {
        apply(
            .request(
                session: session, number: number, confirmed: confirmed, operation: operation))
    }

    mutating func acquire(
        _ session: SessionID, _ number: UInt64, _ name: ObjectName, _ mode: LockMode = .exclusive,
        isTry: Bool = false
    ) {
        request(session, number, .acquire(name: name, mode: mode, isTry: isTry))
    }

    /// The version of the last command, as a token.
    var token: FencingToken { FencingToken(version) }

    mutating func end(_ session: SessionID, _ reason: SessionEnd, attachment: UInt64 = 1) {
        apply(.end(session: session, attachment: attachment, reason: reason))
    }

    /// What the last command made the coordinator answer to that request.
    func reply(to number: UInt64, of session: SessionID) -> Reply? {
        for case .reply(session, number, let reply) in effects { return reply }
        return nil
    }

    func position(of number: UInt64, of session: SessionID) -> UInt32? {
        for case .queued(session, number, let position) in effects { return position }
        return nil
    }

    func refusal(of number: UInt64, of session: SessionID) -> RefusalCode? {
        guard case .refused(let refusal) = reply(to: number, of: session) else { return nil }
        return refusal.code
    }

    func granted(
        _ name: ObjectName, _ mode: LockMode = .exclusive, after end: PreviousEnd = .none
    ) -> Reply {
        .granted(LockGrant(name: name, mode: mode, token: token, previousEnd: end))
    }

    /// Refused opens and resumes, by nonce.
    var openRefusals: [UInt64: RefusalCode] {
        var refusals: [UInt64: RefusalCode] = [:]
        for case .openRefused(let nonce, _, let refusal) in effects {
            refusals[nonce] = refusal.code
        }
        return refusals
    }

    func lock(_ name: ObjectName) -> ObjectReport? {
        coordinator.lockPage(prefix: name.text).objects.first { $0.name == name }
    }
}

extension ObjectName {
    /// A name known to be right.
    init(known text: String) {
        do { try self.init(text) } catch { fatalError("\(text): \(error)") }
    }
}
