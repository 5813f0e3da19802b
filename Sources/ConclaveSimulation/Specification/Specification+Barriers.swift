import ConclaveBase
import ConclaveCoordination
import ConclaveWire

/// C7: one ordered request decides a generation, and all parties that live are told the same.
extension Specification {
    private static let partyByteCount = 24
    private static let frameByteCount = 1_024
    private static let listedAbsences = 64

    mutating func arrive(_ arrival: BarrierArrival, _ id: SessionID, _ number: UInt64) {
        let name = arrival.name
        if let code = refusal(ofMember: arrival, id)
            ?? refusal(of: arrival, by: sessions[id]!.process.uid)
        {
            return refuse(id, number, code)
        }
        var barrier =
            barriers[name]
            ?? SpecifiedBarrier(
                uid: sessions[id]!.process.uid, generation: version.number)
        if let meant = arrival.generation, meant != barrier.generation {
            return answerLate(barrier.decisions[meant], id, number)
        }
        let process = sessions[id]!.process
        let party = SpecifiedBarrier.Arrival(
            session: id, number: number, host: process.host, pid: process.pid,
            rank: arrival.rank, payload: arrival.payload, at: time, member: arrival.member)
        if barrier.disagrees(party, parties: arrival.parties, of: arrival.group) {
            return breakGeneration(
                of: name, .disagreement, by: id, newcomer: (id, number))
        }
        if isTooMuch(arrival, by: sessions[id]!.process.uid) {
            return refuse(id, number, .quotaExceeded)
        }
        barrier.parties = arrival.parties
        barrier.group = arrival.group
        barrier.arrivals.append(party)
        barriers[name] = barrier
        if barrier.arrivals.count == partyCount(of: barrier) {
            trip(name)
        } else {
            wait(id, number, in: ObjectKey(kind: .barrier, name: name))
        }
    }

    private func refusal(of arrival: BarrierArrival, by uid: UInt32) -> RefusalCode? {
        let together = Int(arrival.parties) * arrival.payload.count
        let frame = together + Int(arrival.parties) * Self.partyByteCount + Self.frameByteCount
        if together > ClientLimits.barrierPayloadsTogether { return .invalid }
        if frame > Int(FrameHeader.maximumLength) { return .invalid }
        if barriers[arrival.name] == nil {
            if arrival.generation != nil { return .invalid }
            if objectCount >= quotas.objects { return .quotaExceeded }
            if uid != 0, barriers.values.count(where: { $0.uid == uid }) >= quotas.barriersPerUID {
                return .quotaExceeded
            }
        }
        if Int(arrival.parties) * frame > ClientLimits.barrierRepliesTogether { return .invalid }
        return barriers[arrival.name] == nil && isTooMuch(arrival, by: uid) ? .quotaExceeded : nil
    }

    private func isTooMuch(_ arrival: BarrierArrival, by uid: UInt32) -> Bool {
        let isFirst = barriers[arrival.name]?.arrivals.isEmpty ?? true
        let named = isFirst ? 8 * (arrival.group?.among.count ?? 0) : 0
        let growth = arrival.payload.count + named
        if valueByteCount + growth > quotas.valueByteCount { return true }
        let owner = barriers[arrival.name]?.uid ?? uid
        let ofOwner = barriers.values.filter { $0.uid == owner }
            .reduce(0) { $0 + $1.payloadByteCount }
        return owner != 0 && growth > 0 && ofOwner + growth > quotas.valueByteCountPerUID
    }

    /// That a generation tripped is told only to those who took part.
    private mutating func answerLate(
        _ decision: SpecifiedBarrier.Decision?, _ id: SessionID, _ number: UInt64
    ) {
        let own = decision?.replies.first { $0.session == id }?.reply
        guard let reply = own ?? decision?.toOthers else { return refuse(id, number, .invalid) }
        answer(id, number, reply)
    }

    mutating func trip(_ name: ObjectName) {
        let view = settle(name)
        let barrier = barriers[name]!
        let ranks = barrier.ranks
        let parties = zip(barrier.arrivals, ranks).map { arrival, rank in
            BarrierParty(
                rank: rank, host: arrival.host, pid: arrival.pid, arrivedAt: arrival.at,
                payload: arrival.payload)
        }.sorted { $0.rank < $1.rank }
        note(.tripped(barrier.past), .barrier, name)
        var decision = SpecifiedBarrier.Decision(replies: [], toOthers: nil)
        decision.payloadByteCount = barrier.payloadByteCountOfArrivals
        decide(name, decision) { rank in
            .tripped(
                BarrierResult(
                    name: name, generation: barrier.generation, rank: rank, parties: parties,
                    view: view))
        }
    }

    mutating func breakGeneration(
        of name: ObjectName, _ reason: BarrierBreakReason, by breaker: SessionID,
        ended: SessionID? = nil,
        newcomer: (session: SessionID, number: UInt64)? = nil
    ) {
        _ = settle(name)
        let barrier = barriers[name]!
        let ranks = barrier.ranks
        note(.broken(barrier.past, reason, by: holder(breaker)), .barrier, name)
        let gone = zip(barrier.arrivals, ranks).filter { $0.0.session == ended }.map(\.1)
            .prefix(Self.listedAbsences)
        let missing = (0..<barrier.parties).filter { !ranks.contains($0) }
            .prefix(Self.listedAbsences - gone.count)
        let report = Reply.broken(
            BarrierBreak(
                name: name, generation: barrier.generation, reason: reason, message: "",
                missing: (gone + missing).sorted().map { BarrierAbsence(rank: $0) },
                arrivedCount: UInt32(barrier.arrivals.count), parties: barrier.parties))
        decide(
            name, SpecifiedBarrier.Decision(replies: [], toOthers: report), except: ended
        ) { _ in report }
        if let newcomer { answer(newcomer.session, newcomer.number, report) }
        forgetDecisions()
    }

    private mutating func decide(
        _ name: ObjectName, _ decision: SpecifiedBarrier.Decision, except ended: SessionID? = nil,
        reply: (UInt32) -> Reply
    ) {
        let barrier = barriers[name]!
        var decision = decision
        for (arrival, rank) in zip(barrier.arrivals, barrier.ranks) {
            decision.replies.append((arrival.session, rank, reply(rank)))
        }
        decision.replies.sort { $0.rank < $1.rank }
        barriers[name]!.decisions[barrier.generation] = decision
        barriers[name]!.generation += 1
        barriers[name]!.parties = 0
        barriers[name]!.group = nil
        barriers[name]!.arrivals = []
        for (arrival, rank) in zip(barrier.arrivals, barrier.ranks) where arrival.session != ended {
            answer(arrival.session, arrival.number, reply(rank))
        }
        if ended == nil { forgetDecisions() }
    }

    /// A result stays as long as it is some live session's unconfirmed reply.
    mutating func forgetDecisions() {
        for name in barriers.keys.sorted() {
            barriers[name]!.decisions = barriers[name]!.decisions.filter { generation, _ in
                sessions.values.contains { $0.refers(to: name, generation) }
            }
            let barrier = barriers[name]!
            if barrier.arrivals.isEmpty, barrier.decisions.isEmpty { barriers[name] = nil }
        }
    }
}

extension SpecifiedBarrier {
    fileprivate var past: HistoryGeneration {
        HistoryGeneration(
            number: generation, parties: parties, arrivedCount: UInt32(arrivals.count))
    }

    fileprivate var payloadByteCountOfArrivals: Int {
        arrivals.reduce(0) { $0 + $1.payload.count }
    }
}
