import ConclaveBase
import ConclaveWire

extension Coordinator {
    mutating func arrive(
        _ arrival: BarrierArrival, _ request: RequestReference,
        effects: inout [CoordinationEffect]
    ) {
        if let refusal = refusal(of: arrival, request) {
            answer(request, .refused(refusal), effects: &effects)
            return
        }
        let barrier =
            barriers.index(of: arrival.name)
            ?? makeBarrier(arrival.name, firstParty: request)
        if let named = arrival.generation, named != barriers[barrier].generation {
            answerLate(named, of: barrier, request, effects: &effects)
            return
        }
        let party = party(of: arrival, request)
        if let message = barriers[barrier].disagreement(
            with: party, parties: arrival.parties, of: arrival.group)
        {
            let fault = BarrierFault(
                reason: .disagreement, message: message, by: historyHolder(request.session))
            breakGeneration(of: barrier, fault, newcomer: request, effects: &effects)
            return
        }
        if let refusal = valueRefusal(of: arrival, request) {
            answer(request, .refused(refusal), effects: &effects)
            return
        }
        barriers.gather(party, parties: arrival.parties, of: arrival.group, at: barrier)
        if missingCount(at: barrier) == 0 {
            trip(barrier, effects: &effects)
        } else {
            wait(request, in: .barrier(barrier), effects: &effects)
        }
    }

    @inline(never)
    private mutating func makeBarrier(
        _ name: ObjectName, firstParty request: RequestReference
    ) -> Int {
        let uid = sessions[request.session].process.uid
        return barriers.insert(Barrier(name: name, uid: uid, generation: version.number))
    }

    private func refusal(
        of arrival: BarrierArrival, _ request: RequestReference
    ) -> Refusal? {
        if let refusal = arrival.refusalBySize { return refusal }
        if let refusal = refusal(ofMember: arrival, by: request) { return refusal }
        if barriers.index(of: arrival.name) == nil {
            if let generation = arrival.generation {
                let message = "generation \(generation) of barrier \(arrival.name) is not known"
                return Refusal(.invalid, message)
            }
            if !hasRoomForObject {
                return Refusal(.quotaExceeded, Self.objectQuotaMessage(quotas.objects))
            }
            let uid = sessions[request.session].process.uid
            if uid != 0, barriers.count(ofUID: uid) >= quotas.barriersPerUID {
                let message =
                    "processes of uid \(uid) came first to \(quotas.barriersPerUID) barriers that "
                    + "still gather, or whose results are not confirmed"
                return Refusal(.quotaExceeded, message)
            }
        }
        // Where somebody gathers already, what adds nothing is answered all the same.
        return barriers.index(of: arrival.name) == nil ? valueRefusal(of: arrival, request) : nil
    }

    @inline(never)
    private func valueRefusal(of arrival: BarrierArrival, _ request: RequestReference) -> Refusal? {
        var uid = sessions[request.session].process.uid
        if let barrier = barriers.index(of: arrival.name) { uid = barriers[barrier].uid }
        return valueRefusal(
            arrival.payload.count + namedByteCount(of: arrival),
            ofUser: barriers.payloadByteCount(ofUID: uid), uid: uid)
    }

    /// What the members that it names take: they are kept once for each generation.
    private func namedByteCount(of arrival: BarrierArrival) -> Int {
        let isFirst = barriers.index(of: arrival.name).map { barriers[$0].arrivals.isEmpty } ?? true
        return isFirst ? arrival.group?.byteCount ?? 0 : 0
    }

    private func party(of arrival: BarrierArrival, _ request: RequestReference) -> Arrival {
        let session = sessions[request.session]
        return Arrival(
            request: request, session: session.id, host: session.process.host,
            pid: session.process.pid, rank: arrival.rank, payload: arrival.payload,
            member: arrival.member, at: time)
    }

    /// An arrival at a generation that is over gets what that generation got.
    private mutating func answerLate(
        _ generation: UInt64, of barrier: Int, _ request: RequestReference,
        effects: inout [CoordinationEffect]
    ) {
        let session = sessions[request.session].id
        guard let decision = barriers[barrier].decision(of: generation),
            let rank = decision.rank(toldTo: session)
        else {
            let message =
                "generation \(generation) of barrier \(barriers[barrier].name) is not known, or "
                + "the session took no part; the present one is \(barriers[barrier].generation)"
            refuse(request, .invalid, message, effects: &effects)
            return
        }
        let reference = DecisionReference(barrier: barrier, generation: generation, rank: rank)
        answer(request, reference, effects: &effects)
    }

    mutating func trip(_ barrier: Int, effects: inout [CoordinationEffect]) {
        settle(barrier)
        note(.tripped(barriers[barrier].past), of: .barrier, barriers[barrier].name)
        conclude(barrier, barriers[barrier].tripped(), effects: &effects)
    }

    /// C7: one ordered request decides, and all parties whose sessions live get the same answer.
    private mutating func breakGeneration(
        of barrier: Int, _ fault: BarrierFault, newcomer: RequestReference? = nil,
        effects: inout [CoordinationEffect]
    ) {
        settle(barrier)
        let event = ObjectEvent.broken(barriers[barrier].past, fault.reason, by: fault.by)
        note(event, of: .barrier, barriers[barrier].name)
        let (outcome, absent) = barriers[barrier].broken(by: fault) { session in
            session != fault.ended && sessions.index(of: session) != nil
        }
        conclude(
            barrier, outcome, absent: absent, ended: fault.ended, newcomer: newcomer,
            effects: &effects)
    }

    private mutating func conclude(
        _ barrier: Int, _ outcome: BarrierDecision.Outcome,
        absent: [BarrierDecision.KnownParty] = [], ended: SessionID? = nil,
        newcomer: RequestReference? = nil, effects: inout [CoordinationEffect]
    ) {
        var reference = DecisionReference(
            barrier: barrier, generation: barriers[barrier].generation, rank: 0)
        var decided = barriers.decide(outcome, absent: absent, at: barrier)
        if plant == .breakUntold, case .broken = outcome { decided.removeFirst() }
        for (arrival, rank) in decided where arrival.session != ended {
            reference.rank = rank
            answer(arrival.request, reference, effects: &effects)
        }
        if let newcomer {
            reference.rank = 0
            answer(newcomer, reference, effects: &effects)
        }
        barriers.release(reference)
    }

    private mutating func answer(
        _ request: RequestReference, _ reference: DecisionReference,
        effects: inout [CoordinationEffect]
    ) {
        barriers.refer(to: reference)
        keep(.decision(reference), for: request)
        tell(request, reply(.decision(reference)), effects: &effects)
    }

    /// A party that gives up breaks the generation for all, itself included: so it, too, is told
    /// who was missing.
    mutating func breakGeneration(
        of barrier: Int, givenUpBy request: RequestReference, _ reason: CancelReason,
        effects: inout [CoordinationEffect]
    ) {
        let process = sessions[request.session].process
        let who = "pid \(process.pid) on host \(process.host)"
        let by = historyHolder(request.session)
        let fault =
            switch reason {
            case .gaveUp:
                BarrierFault(reason: .cancelled, message: "\(who) gave up", by: by)
            case .timedOut:
                BarrierFault(
                    reason: .timedOut, message: "\(who) waited as long as it would", by: by)
            }
        breakGeneration(of: barrier, fault, effects: &effects)
    }

    mutating func breakBarriers(
        awaitedBy session: Int, reason: SessionEnd, effects: inout [CoordinationEffect]
    ) {
        var awaited: Set<Int> = []
        for case (_, .barrier(let barrier)) in sessions[session].replies.waiting {
            awaited.insert(barrier)
        }
        let process = sessions[session].process
        let message = "pid \(process.pid) on host \(process.host) \(reason.predicate)"
        let fault = BarrierFault(
            reason: .partyEnded, message: message, by: historyHolder(session),
            ended: sessions[session].id)
        let id = sessions[session].id
        let isOneEnough = plant == .oneBarrierBreaks
        for barrier in awaited.sorted(by: { barriers[$0].name < barriers[$1].name })
            .prefix(isOneEnough ? 1 : awaited.count)
        {
            guard !withdraws(session: id, from: barrier) else { continue }
            breakGeneration(of: barrier, fault, effects: &effects)
        }
    }
}

extension BarrierDecision {
    /// The rank with which an arrival of `session` at this past generation is answered. That it
    /// tripped is told only to those who took part.
    fileprivate func rank(toldTo session: SessionID) -> UInt32? {
        switch outcome {
        case .tripped: rank(of: session)
        case .broken: rank(of: session) ?? 0
        }
    }
}

extension BarrierArrival {
    /// Bytes of one party in a `BarrierResult`, without its payload, and of the rest of the frame.
    private static let partyByteCount = 24
    private static let frameByteCount = 1_024

    /// Each party is told the payloads of all: what that could come to must fit.
    fileprivate var refusalBySize: Refusal? {
        let together = Int(parties) * payload.count
        if together > ClientLimits.barrierPayloadsTogether {
            return Refusal(
                .invalid,
                "\(parties) payloads of \(payload.count) bytes are more than the "
                    + "\(ClientLimits.barrierPayloadsTogether) that a barrier's reply carries")
        }
        let frame = together + Int(parties) * Self.partyByteCount + Self.frameByteCount
        if frame > Int(FrameHeader.maximumLength) {
            return Refusal(
                .invalid,
                "\(parties) parties with payloads of \(payload.count) bytes do not fit into a "
                    + "reply of \(FrameHeader.maximumLength) bytes")
        }
        if Int(parties) * frame > ClientLimits.barrierRepliesTogether {
            return Refusal(
                .invalid,
                "\(parties) replies that tell \(parties) payloads of \(payload.count) bytes are more "
                    + "than the \(ClientLimits.barrierRepliesTogether) bytes that a barrier may answer"
            )
        }
        return nil
    }
}

extension SessionEnd {
    fileprivate var predicate: String {
        switch self {
        case .goodbye: "said goodbye"
        case .died: "died"
        case .expired: "lost its session"
        case .hostLost: "was lost with its host"
        case .forced: "was ended by an administrator"
        }
    }
}
