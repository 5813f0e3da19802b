import ConclaveBase
import ConclaveWire

/// Why a generation breaks.
struct BarrierFault {
    var reason: BarrierBreakReason
    /// In a sentence without its end.
    var message: String
    var by: HistoryHolder
    /// The session whose end it is.
    var ended: SessionID?
}

extension Barrier {
    /// - Precondition: the generation is complete.
    func tripped() -> BarrierDecision.Outcome {
        precondition(isComplete)
        let parties = zip(arrivals, ranks()).map { arrival, rank in
            BarrierParty(
                rank: rank, host: arrival.host, pid: arrival.pid, arrivedAt: arrival.at,
                payload: arrival.payload)
        }
        return .tripped(parties.sorted { $0.rank < $1.rank })
    }

    /// What all parties are told of `fault`, and who of the missing is known by name. `isOpen`:
    /// whether a session lives.
    func broken(
        by fault: BarrierFault, isOpen: (SessionID) -> Bool
    ) -> (outcome: BarrierDecision.Outcome, absent: [BarrierDecision.KnownParty]) {
        let ranks = ranks()
        var listed = zip(arrivals, ranks).filter { $0.0.session == fault.ended }
            .prefix(Self.listedAbsences)
            .map { arrival, rank in
                BarrierAbsence(
                    rank: rank, host: arrival.host, pid: arrival.pid, lastSeen: arrival.at,
                    hasEnded: true)
            }
        let missing = firstMissing(ranks, count: Self.listedAbsences - listed.count)
        let absent = identify(missing)
        listed += absences(missing, known: absent, isOpen: isOpen)
        let report = BarrierBreak(
            name: name, generation: generation, reason: fault.reason,
            message: message(of: fault, listed: missing.count),
            missing: listed.sorted { $0.rank < $1.rank },
            arrivedCount: UInt32(arrivals.count), parties: parties)
        return (.broken(report), absent)
    }

    /// The first of those that have not arrived, and what is known of them. `isOpen`: whether a
    /// session lives.
    func stragglers(isOpen: (SessionID) -> Bool) -> [BarrierAbsence] {
        let missing = firstMissing(ranks(), count: Self.listedAbsences)
        return absences(missing, known: identify(missing), isOpen: isOpen)
    }

    private func absences(
        _ ranks: [UInt32], known: [BarrierDecision.KnownParty], isOpen: (SessionID) -> Bool
    ) -> [BarrierAbsence] {
        ranks.map { rank in
            let party = known.first { $0.rank == rank }
            return BarrierAbsence(
                rank: rank, host: party?.host, pid: party?.pid, lastSeen: party?.lastSeen,
                hasEnded: party.map { !isOpen($0.session) } ?? false)
        }
    }

    private func message(of fault: BarrierFault, listed: Int) -> String {
        let unlisted = Int(missingCount) - listed
        let cut = unlisted > 0 ? "; \(missingCount) are missing, \(listed) of them listed" : ""
        return "\(fault.message); \(arrivals.count) of \(parties) had arrived\(cut)"
    }

    /// The lowest ranks that nobody has.
    private func firstMissing(_ ranks: [UInt32], count: Int) -> [UInt32] {
        var isTaken = [Bool](repeating: false, count: Int(parties))
        for rank in ranks { isTaken[Int(rank)] = true }
        var missing: [UInt32] = []
        for rank in isTaken.indices where !isTaken[rank] {
            guard missing.count < count else { break }
            missing.append(UInt32(rank))
        }
        return missing
    }

    /// Who the missing parties probably are: those of the generation before that have not come to
    /// this one; by rank if the parties choose their ranks, else in their order. Of a group it is known.
    private func identify(_ missing: [UInt32]) -> [BarrierDecision.KnownParty] {
        if let roster { return roster.parties.filter { missing.contains($0.rank) } }
        guard let before = decisions.last, before.parties == parties else { return [] }
        var present: [SessionID: Int] = [:]
        for arrival in arrivals { present[arrival.session, default: 0] += 1 }
        let candidates = before.known.filter { party in
            guard let count = present[party.session], count > 0 else { return true }
            present[party.session] = count - 1
            return false
        }
        if before.ranksWereGiven {
            return candidates.filter { missing.contains($0.rank) }.map(Self.absent)
        }
        return zip(missing, candidates).map { rank, party in
            var party = Self.absent(party)
            party.rank = rank
            return party
        }
    }

    private static func absent(
        _ party: BarrierDecision.KnownParty
    ) -> BarrierDecision.KnownParty {
        var party = party
        party.hasArrived = false
        return party
    }
}
