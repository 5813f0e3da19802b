import ConclaveBase
import ConclaveClientCore
import ConclaveCoordination
import ConclaveReplication
import ConclaveService
import ConclaveWire

/// Ends and moves of sessions, at the moment when the first machine applies them: by then nobody
/// may believe in what is over (C5, K3 to K7).
extension ServiceWorld {
    func follow(_ effect: CoordinationEffect) {
        world.trace { "ORDER \(effect)" }
        switch effect {
        case .sessionEnded(let session, _, let reason):
            if reason == .hostLost { checkSilence(of: session) }
            // Whoever says goodbye has let go.
            if reason == .goodbye {
                goodbyes.insert(session)
            } else {
                checkNotBelieved(session, "ended (\(reason))")
                checkStopped(session, "ended (\(reason))")
            }
        case .attached(let session, _, let attachment):
            checkNotBelieved(session, "was taken over")
            checkStopped(session, "was taken over")
            if attachment.number > 1 { wasResumed(session) }
        case .lockClosed(let lock): delays.closed(lock, at: timeline.now)
        case .reply(_, _, .granted(let grant)): checkDelay(before: grant)
        case .reply(_, _, .grantedAll(let grants)):
            for grant in grants { checkDelay(before: grant) }
        default: break
        }
    }

    private func checkDelay(before grant: LockGrant) {
        do throws(Violation) {
            try delays.granted(grant, at: timeline.now)
        } catch {
            world.order.report(error.promise, error.message)
        }
    }

    private func checkSilence(of session: SessionID) {
        do throws(Violation) {
            try validity.ended(session, at: timeline.now)
        } catch {
            world.order.report(error.promise, error.message)
        }
    }

    /// No process but the one that the session has now.
    private func checkNotBelieved(_ session: SessionID, _ what: String) {
        let process = world.order.process(of: session)
        for case let client? in seats.map(\.client) where client.session == session {
            if process?.isSameProcess(as: client.identity) ?? false { continue }
            let now = cluster.hosts[client.host].clock.instant(at: timeline.now)
            guard client.isValid(at: now) else { continue }
            world.order.report(
                .mutualExclusion,
                "session \(session) \(what) while client \(client.index) finds it valid")
        }
    }

    /// After a loss of state nothing is granted as long as any session may have been valid that the
    /// group ever had (V26), whether there is one or not.
    func checkWait() {
        let waited = timeline.now.since(grantsSuspendedAt)
        guard waited < shape.maximumSessionTTL else { return }
        world.order.report(
            .mutualExclusion,
            "grants begin \(waited) after state was lost, in a group whose sessions may be valid "
                + "for \(shape.maximumSessionTTL)")
    }

    /// After a loss of state nothing is granted as long as somebody believes in what was lost (V26).
    func checkNothingIsBelieved() {
        for case let client? in seats.map(\.client) {
            let now = cluster.hosts[client.host].clock.instant(at: timeline.now)
            guard let session = client.session, !world.order.isOpen(session),
                !goodbyes.contains(session), client.isValid(at: now)
            else { continue }
            world.order.report(
                .mutualExclusion,
                "grants begin while client \(client.index) finds its session \(session) valid, "
                    + "which was lost")
        }
    }

    private static let patience = Interval.seconds(2)

    /// C8: what the daemon of a client knows to be answered, the client is told, as long as it is
    /// connected and the daemon serves: one that learns tells what it has learned when it is let in.
    func checkAnswers(to client: ClientProcess) throws(Violation) {
        guard let session = client.openedSession?.session, !client.unanswered.isEmpty else {
            client.overdue = [:]
            return
        }
        let host = cluster.hosts[client.host]
        guard let daemon = host.daemon, daemon.isServing, client.connection != nil,
            client.connection == client.openedOn, host.inbox.pausedUntil <= timeline.now,
            heldEffects[client.host].isEmpty
        else {
            client.overdue = [:]
            return
        }
        let applied = daemon.host.replica.machine.version
        for number in client.unanswered.sorted() {
            guard let version = world.order.answerVersion(of: number, of: session),
                version <= applied, world.order.keepsAnswer(to: number, of: session)
            else { continue }
            guard let since = client.overdue[number] else {
                client.overdue[number] = timeline.now
                continue
            }
            guard timeline.now.since(since) > Self.patience else { continue }
            throw Violation(
                .progress,
                "client \(client.index) is connected, but not told the answer to its request "
                    + "\(number), which its daemon has")
        }
    }
}
