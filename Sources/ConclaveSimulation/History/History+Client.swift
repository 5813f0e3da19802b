import ConclaveBase
import ConclaveClientCore
import ConclaveWire

extension HistoryCall {
    /// What an operation is about: of one for several locks as many as those are.
    static func all(_ operation: Operation) -> [HistoryCall] {
        switch operation {
        case .acquireAll(let set):
            set.parts.map { part in
                let action = Action.acquire(
                    part.mode, isTry: set.isTry, lockDelay: set.lockDelay, isOfSet: true)
                return HistoryCall(action, part.name)
            }
        case .releaseAll(let names, let token):
            names.map { HistoryCall(.release(token), $0) }
        default: HistoryCall(operation).map { [$0] } ?? []
        }
    }

    /// `nil`: it is about another request, and no object; about a lease, a latch or a session, of which there
    /// is no model; or about a task group, of which everybody is told everything anyway.
    private init?(_ operation: Operation) {
        switch operation {
        case .acquire(let name, let mode, let isTry, _, let lockDelay, _):
            self.init(.acquire(mode, isTry: isTry, lockDelay: lockDelay), name)
        case .limit(let name, let limit): self.init(.limit(limit), name)
        case .release(let name, let token): self.init(.release(token), name)
        case .downgrade(let name, let token): self.init(.downgrade(token), name)
        case .upgrade(let name, let token): self.init(.upgrade(token), name)
        case .campaign(let slot, let value, _, let places, _):
            self.init(.campaign(value: value, places: places), slot)
        case .announce(let slot, let token, let value):
            self.init(.announce(token, value: value), slot)
        case .resign(let slot, let token): self.init(.resign(token), slot)
        case .handOver(let slot, let token, let standby):
            self.init(.handOver(token, to: standby), slot)
        case .arrive(let arrival) where arrival.group != nil: return nil
        case .arrive(let arrival):
            self.init(
                .arrive(
                    parties: arrival.parties, rank: arrival.rank,
                    generation: arrival.generation, payload: arrival.payload),
                arrival.name)
        case .transact(let transaction):
            guard let name = transaction.firstKey else { return nil }
            self.init(.transact(transaction), name)
        case .acquireAll, .releaseAll: return nil
        case .cancel, .lease, .revoke, .joinGroup, .leaveGroup, .evictMember, .sendToGroup,
            .provideState, .adoptState, .latch:
            return nil
        }
    }
}

extension HistoryAnswer {
    /// To each of the `count` calls that an operation is; `nil`: nothing that is an answer to one.
    static func all(_ answer: ClientCore.Answer, count: Int) -> [HistoryAnswer]? {
        switch answer {
        case .reply(.grantedAll(let grants)):
            grants.map { .granted($0.token, after: $0.previousEnd) }
        // Which of them was not to be had is not told.
        case .reply(.busy) where count > 1: Array(repeating: .cancelled, count: count)
        default: HistoryAnswer(answer).map { Array(repeating: $0, count: count) }
        }
    }

    /// What the client library says to an operation; `nil`: nothing that is an answer to one.
    private init?(_ answer: ClientCore.Answer) {
        switch answer {
        case .reply(let reply):
            guard let known = HistoryAnswer(reply) else { return nil }
            self = known
        case .failed(let failure): self.init(failure)
        case .report: return nil
        }
    }

    private init(_ failure: ClientCore.ClientFailure) {
        switch failure {
        case .timedOut, .cancelled, .unavailable: self = .cancelled
        case .outcomeUnknown, .sessionLost: self = .unknown
        // Of what went down with its session it may be forgotten that it was answered.
        case .refused(let refusal) where refusal.code == .sessionEnded: self = .unknown
        case .refused(let refusal): self = .refused(refusal.code)
        }
    }

    private init?(_ reply: Reply) {
        switch reply {
        case .granted(let grant): self = .granted(grant.token, after: grant.previousEnd)
        case .busy(let holder): self = .busy(holder: holder)
        case .elected(let term):
            self = .elected(
                term.token, place: term.place, after: term.previousEnd,
                previousValue: term.previousValue)
        case .done: self = .done
        case .tripped(let result):
            self = .tripped(
                generation: result.generation, rank: result.rank,
                payloads: result.parties.map(\.payload))
        case .broken(let report): self = .broken(generation: report.generation, report.reason)
        case .cancelled: self = .cancelled
        case .refused(let refusal): self = .refused(refusal.code)
        case .written(let written): self = .written(written)
        case .mismatched(let mismatch): self = .mismatched(mismatch)
        case .grantedAll, .cancelOutcome, .leased, .leaseTaken, .joined, .sent, .counted: return nil
        }
    }
}

extension KeyTransaction {
    /// Of those that it changes or compares.
    fileprivate var firstKey: ObjectName? { operations.first?.key ?? compares.first?.key }
}

extension HistoryObservation {
    init(_ state: LeaderState) {
        self.init(
            slot: state.slot, version: state.version, token: state.leaders.first?.token,
            value: state.leaders.first?.value ?? [])
    }
}

extension OperationFrame {
    /// The frames that carry one.
    static let types: Set<ClientFrameType> = [
        .cancel, .acquire, .acquireAll, .release, .releaseAll, .downgrade, .upgrade,
        .limit, .campaign, .announce, .resign,
        .handOver, .arrive, .transact, .lease, .revoke, .joinGroup, .leaveGroup, .evictMember,
        .sendToGroup, .provideState, .adoptState, .latch,
    ]
}
