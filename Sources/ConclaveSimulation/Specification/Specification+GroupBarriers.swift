import ConclaveBase
import ConclaveCoordination
import ConclaveWire

/// Barriers of task groups: the parties are who belongs to the group when it is decided.
extension Specification {
    /// By rank.
    private func parties(of group: BarrierGroup) -> [GroupMember] {
        let members = groups[group.name]?.members ?? []
        return group.among.isEmpty
            ? members : members.filter { group.among.contains($0.token) }
    }

    func partyCount(of barrier: SpecifiedBarrier) -> Int {
        barrier.group.map { parties(of: $0).count } ?? Int(barrier.parties)
    }

    func refusal(ofMember arrival: BarrierArrival, _ id: SessionID) -> RefusalCode? {
        guard let group = arrival.group else { return nil }
        guard let member = parties(of: group).first(where: { $0.token == arrival.member }) else {
            return .notHeld
        }
        let uid = sessions[id]!.process.uid
        guard uid == 0 || uid == member.uid else { return .denied }
        let barrier = barriers[arrival.name]
        let isPresent = arrival.generation == nil || arrival.generation == barrier?.generation
        let gathering = barriers.values.compactMap(\.group).filter { $0.name == group.name }
        if isPresent, barrier?.arrivals.isEmpty ?? true {
            let named = gathering.reduce(group.among.count) { $0 + $1.among.count }
            let isTooMuch =
                gathering.count >= quotas.barriersPerGroup || named > quotas.barrierNamesPerGroup
            return isTooMuch ? .quotaExceeded : nil
        }
        guard isPresent, barrier?.group == group,
            barrier?.arrivals.contains(where: { $0.member == member.token }) == true
        else { return nil }
        return .alreadyHeld
    }

    /// Returns the number of the view that says who the parties are, if they are not counted.
    mutating func settle(_ name: ObjectName) -> UInt64? {
        guard let group = barriers[name]!.group else { return nil }
        let members = parties(of: group)
        barriers[name]!.parties = UInt32(members.count)
        for index in barriers[name]!.arrivals.indices {
            let member = barriers[name]!.arrivals[index].member
            let rank = members.firstIndex { $0.token == member }!
            barriers[name]!.arrivals[index].rank = UInt32(rank)
        }
        return groups[group.name]!.number
    }

    /// Somebody is gone from the group.
    mutating func reviewBarriers(of group: ObjectName) {
        for name in barriers.keys.sorted() where barriers[name]?.group?.name == group {
            let barrier = barriers[name]!
            let members = parties(of: barrier.group!).map(\.token)
            let gone = barrier.arrivals.filter { !members.contains($0.member!) }
            withdraw(from: name) { !members.contains($0.member!) }
            for arrival in gone { refuse(arrival.session, arrival.number, .notHeld) }
            guard let rest = barriers[name], !rest.arrivals.isEmpty,
                rest.arrivals.count == members.count
            else { continue }
            trip(name)
        }
    }

    private mutating func withdraw(
        from name: ObjectName, where isGone: (SpecifiedBarrier.Arrival) -> Bool
    ) {
        barriers[name]!.arrivals.removeAll(where: isGone)
        if barriers[name]!.arrivals.isEmpty { barriers[name]!.group = nil }
        forgetDecisions()
    }

    /// Barriers at which the session waits break, unless it waits as a member that is gone now.
    mutating func leaveBarriers(_ id: SessionID) {
        for name in barriers.keys.sorted()
        where barriers[name]?.arrivals.contains(where: { $0.session == id }) == true {
            let barrier = barriers[name]!
            let own = barrier.group.map { group in
                parties(of: group).filter { $0.session == id }.map(\.token)
            }
            let isOwn = barrier.arrivals.allSatisfy { arrival in
                arrival.session != id || own?.contains(arrival.member!) == true
            }
            if isOwn {
                withdraw(from: name) { $0.session == id }
            } else {
                breakGeneration(of: name, .partyEnded, by: id, ended: id)
            }
        }
    }
}
