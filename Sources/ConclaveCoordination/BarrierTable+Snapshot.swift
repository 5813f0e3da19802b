import ConclaveBase
import ConclaveWire

extension BarrierTable {
    mutating func take(_ reader: inout ByteReader) throws(WireError) {
        let name = try reader.name("name")
        guard index(of: name) == nil else {
            throw .invalid(field: "name", reason: "\(name) comes twice")
        }
        let uid: UInt32 = try reader.integer("uid")
        _ = insert(Barrier(name: name, uid: uid, generation: try reader.counter("generation")))
    }

    /// Takes arrivals at a barrier, and returns which requests they are.
    mutating func takeArrivals(
        _ reader: inout ByteReader, sessions: SessionTable
    ) throws(WireError) -> (barrier: Int, requests: [RequestReference]) {
        let index = try barrierIndex(&reader)
        let group = try reader.flag("group") ? try BarrierGroup(from: &reader) : nil
        let parties = group == nil ? try reader.partyCount("parties") : 0
        try reader.offset(self[index].arrivals.count)
        var requests: [RequestReference] = []
        for _ in 0..<(try reader.count("arrivals")) {
            let arrival = try Arrival(from: &reader, sessions: sessions)
            guard group != nil || self[index].arrivals.count + 1 < parties,
                arrival.rank.map({ $0 < parties }) ?? true,
                (arrival.member != nil) == (group != nil),
                self[index].disagreement(with: arrival, parties: parties, of: group) == nil
            else { throw .invalid(field: "arrival", reason: "is one too many") }
            gather(arrival, parties: parties, of: group, at: index)
            requests.append(arrival.request)
        }
        return (index, requests)
    }

    mutating func takeDecision(_ reader: inout ByteReader) throws(WireError) {
        let index = try barrierIndex(&reader)
        let decision = try BarrierDecision(from: &reader)
        guard decision.generation < self[index].generation,
            self[index].decisions.last.map({ $0.generation < decision.generation }) ?? true
        else { throw .invalid(field: "generation", reason: "is out of order") }
        restore(decision, at: index)
    }

    private func barrierIndex(_ reader: inout ByteReader) throws(WireError) -> Int {
        let name = try reader.name("barrier")
        guard let index = index(of: name) else {
            throw .invalid(field: "barrier", reason: "\(name) is not known")
        }
        return index
    }

    /// After a snapshot was read: members that wait are members, and somebody is missing.
    func check(against groups: GroupTable) throws(WireError) {
        for index in unsorted {
            guard let group = self[index].group else { continue }
            let members = groups.parties(of: group).members.map(\.token)
            let arrived = Set(self[index].arrivals.map(\.member))
            guard arrived.count == self[index].arrivals.count, arrived.count < members.count,
                arrived.isSubset(of: members)
            else { throw .invalid(field: "arrivals", reason: "are not of group \(group.name)") }
        }
    }

    /// After a snapshot was read, and its replies refer to their decisions: nobody else does.
    mutating func releaseByDeciders() {
        for index in unsorted {
            let generations = self[index].decisions.map(\.generation)
            guard !generations.isEmpty else {
                removeIfUnused(index)
                continue
            }
            for generation in generations {
                release(DecisionReference(barrier: index, generation: generation, rank: 0))
            }
        }
    }
}

extension Arrival {
    func encode(into writer: inout ByteWriter) {
        writer.integer(session.number)
        writer.integer(request.number)
        writer.integer(host.number)
        writer.integer(pid)
        writer.optional(rank)
        writer.bytes(payload)
        writer.integer(at.microseconds)
        writer.optional(member?.number)
    }

    fileprivate init(
        from reader: inout ByteReader, sessions: SessionTable
    ) throws(WireError) {
        let index = try reader.sessionIndex("session", in: sessions)
        request = RequestReference(session: index, number: try reader.integer("number"))
        session = sessions[index].id
        host = try reader.node("host")
        pid = try reader.integer("pid")
        rank = try reader.optional("rank")
        payload = try reader.bytes("payload", maximum: ClientLimits.barrierPayload)
        at = try reader.timestamp("at")
        member = try reader.flag("has member") ? try reader.token("member") : nil
    }
}

extension BarrierDecision {
    func encode(into writer: inout ByteWriter) {
        writer.integer(generation)
        writer.integer(parties)
        writer.flag(ranksWereGiven)
        switch outcome {
        case .tripped(let parties):
            writer.flag(true)
            writer.list(parties) { $0.encode(into: &$1) }
        case .broken(let report):
            writer.flag(false)
            report.encode(into: &writer)
        }
        writer.list(known) { $0.encode(into: &$1) }
        writer.optional(view)
    }

    fileprivate init(from reader: inout ByteReader) throws(WireError) {
        generation = try reader.counter("generation")
        parties = try reader.integer("parties")
        ranksWereGiven = try reader.flag("ranks were given")
        if try reader.flag("tripped") {
            var parties: [BarrierParty] = []
            for _ in 0..<(try reader.count("parties")) {
                parties.append(try BarrierParty(from: &reader))
            }
            outcome = .tripped(parties)
        } else {
            outcome = .broken(try BarrierBreak(from: &reader))
        }
        known = []
        for _ in 0..<(try reader.count("known")) {
            known.append(try KnownParty(from: &reader))
        }
        view = try reader.optional("view")
    }
}

extension BarrierDecision.KnownParty {
    fileprivate func encode(into writer: inout ByteWriter) {
        writer.integer(rank)
        writer.integer(session.number)
        writer.integer(host.number)
        writer.integer(pid)
        writer.optional(lastSeen?.microseconds)
        writer.flag(hasArrived)
    }

    fileprivate init(from reader: inout ByteReader) throws(WireError) {
        rank = try reader.integer("rank")
        session = try reader.session("session")
        host = try reader.node("host")
        pid = try reader.integer("pid")
        lastSeen = try reader.flag("seen") ? try reader.timestamp("last seen") : nil
        hasArrived = try reader.flag("has arrived")
    }
}
