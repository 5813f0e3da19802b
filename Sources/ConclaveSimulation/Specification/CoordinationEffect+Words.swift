import ConclaveCoordination
import ConclaveWire

extension CoordinationEffect {
    /// Without what only people read, and without a place in a queue, which is told as a bound.
    var withoutWords: CoordinationEffect {
        switch self {
        case .reply(let session, let number, let reply):
            .reply(session: session, number: number, reply.withoutWords)
        case .openRefused(let nonce, let member, let refusal):
            .openRefused(nonce: nonce, member: member, Refusal(refusal.code, ""))
        case .queued(let session, let number, _):
            .queued(session: session, number: number, position: 0)
        case .opened, .attached, .detachRequested, .letGoAsked, .sessionEnded, .settled,
            .lockClosed,
            .leaderChanged,
            .keysChanged, .leaseSet, .leaseEnded, .groupChanged, .notUnderstood:
            self
        }
    }
}

extension Reply {
    /// Without messages, and without what is known of a barrier's missing parties but their ranks.
    var withoutWords: Reply {
        switch self {
        case .refused(let refusal): return .refused(Refusal(refusal.code, ""))
        case .broken(var report):
            report.message = ""
            report.missing = report.missing.map { BarrierAbsence(rank: $0.rank) }
            return .broken(report)
        default: return self
        }
    }
}
