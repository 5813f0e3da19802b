package import ConclaveBase
package import ConclaveWire

extension Coordinator {
    /// Those that come after `after`, by id: as many as an answer has room for.
    package func sessionPage(after: SessionID? = nil) -> SessionPage {
        let found = sessions.indexes { session in after.map { $0 < session.id } ?? true }
        var page = SessionPage(version: version, sessions: [])
        var writer = ByteWriter()
        for index in found {
            guard page.sessions.count < ClientLimits.listedSessions,
                writer.bytes.count < ClientLimits.keyPage
            else {
                page.next = page.sessions.last?.session
                break
            }
            let summary = summary(index)
            page.sessions.append(summary)
            summary.encode(into: &writer)
        }
        return page
    }

    private func summary(_ index: Int) -> SessionSummary {
        let session = sessions[index]
        let claims = locks.heldCount(of: index)
        let terms = slots.heldCount(of: index)
        let memberships = groups.membershipCount(of: session.id)
        let owner = SessionSummary.Owner(
            host: session.process.host, pid: session.process.pid, uid: session.process.uid,
            unit: session.process.unit, label: session.label)
        let isAttached = view.contains(session.attachment.member)
        return SessionSummary(
            session: session.id, owner: owner,
            standing: session.isForced ? .forced : isAttached ? .attached : .away,
            ttl: session.ttl, heldCount: UInt32(clamping: claims + terms + memberships),
            waitingCount: UInt32(clamping: session.replies.waiting.count),
            keyCount: UInt32(clamping: keys.ephemeralCount(of: session.id)))
    }
}
