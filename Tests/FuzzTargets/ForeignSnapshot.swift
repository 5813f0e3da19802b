import ConclaveBase
import ConclaveCoordination
import ConclaveWire
import TestSupport

/// Target `snapshot`: the state machine as somebody else's bytes tell it. What is taken must be
/// written to the same bytes again and again, and everything in it must go on and end.
enum ForeignSnapshot {
    static func run(_ bytes: [UInt8]) {
        var source = ByteSource(bytes)
        let snapshot: [UInt8]
        if source.flag() {
            snapshot = source.rest()
        } else {
            let edits = 1 + source.choice(of: 4)
            var editing = ByteSource(source.bytes(edits * 16))
            var sequence = CommandSequence(ByteSource(source.rest()))
            sequence.runAll()
            var changed = sequence.coordinator.encodeSnapshot()
            for _ in 0..<edits { editing.edit(&changed) }
            snapshot = changed
        }
        guard let coordinator = try? Coordinator(snapshot: snapshot) else { return }
        checkRoundTrip(coordinator)
        goOn(coordinator)
    }

    private static func checkRoundTrip(_ coordinator: Coordinator) {
        let bytes = coordinator.encodeSnapshot()
        do {
            let again = try Coordinator(snapshot: bytes)
            demand(again.encodeSnapshot() == bytes, "it is written in another way")
        } catch {
            broken("a state that was taken does not decode: \(error)")
        }
    }

    /// Views come, grants are opened, requests are given up and confirmed, and all sessions end.
    private static func goOn(_ coordinator: Coordinator) {
        guard coordinator.version.counter < Version.counterMask / 2 else { return }
        var coordinator = coordinator
        var version = coordinator.version
        var effects: [CoordinationEffect] = []
        func apply(_ command: Command) {
            version = version.next
            coordinator.apply(
                ByteReader(command.bytes), at: version, time: coordinator.time,
                effects: &effects)
        }
        let view = View(
            epoch: Epoch(1), members: [Member(node: NodeID(1), incarnation: Incarnation(1))])
        version = version.next
        coordinator.install(
            InstalledView(
                view: view, joined: [], departed: [], absent: [], minimumMembers: 1,
                stateWasLost: true),
            at: version, time: coordinator.time, effects: &effects)
        let sessions =
            coordinator.sessionsOutsideView()
            + coordinator.sessions(attachedTo: view.members[0])
        for session in sessions {
            for number in coordinator.waitingNumbers(of: session.id).prefix(2) {
                let operation = Operation.cancel(number: number, reason: .timedOut)
                apply(
                    .request(
                        session: session.id, number: number &+ 1, confirmed: 0,
                        operation: operation))
            }
            for (number, _) in coordinator.storedReplies(of: session.id).prefix(2) {
                apply(.confirm(session: session.id, upTo: number))
            }
        }
        apply(.openGrants(epoch: Epoch(1)))
        _ = coordinator.lockPage(prefix: "")
        for session in sessions {
            let attachment = coordinator.sessionState(session.id)?.attachment.number ?? 0
            apply(.end(session: session.id, attachment: attachment, reason: .died))
            // Somebody else may have waited for it.
            let next = coordinator.sessionState(session.id)?.attachment.number ?? 0
            apply(.end(session: session.id, attachment: next, reason: .goodbye))
        }
        demand(coordinator.sessionCount == 0, "a session does not end")
        checkRoundTrip(coordinator)
    }
}
