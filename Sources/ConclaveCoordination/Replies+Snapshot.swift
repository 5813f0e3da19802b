import ConclaveBase
import ConclaveWire

extension Replies {
    /// Only what is answered: a waiting request is in the queue it waits in.
    func encode(into writer: inout ByteWriter, barriers: BarrierTable) {
        writer.integer(confirmed)
        writer.integer(newest)
        let answered = entries.filter { entry in
            if case .answered = entry.state { true } else { false }
        }
        writer.list(Array(answered)) { entry, writer in
            guard case .answered(let reply, let settledBy) = entry.state else { return }
            writer.integer(entry.number)
            writer.optional(settledBy)
            reply.encode(into: &writer, barriers: barriers)
        }
    }

    init(
        from reader: inout ByteReader, waiting: [Entry], barriers: inout BarrierTable
    ) throws(WireError) {
        let confirmed: UInt64 = try reader.integer("confirmed")
        let newest: UInt64 = try reader.integer("newest")
        var entries = waiting
        for _ in 0..<(try reader.count("replies")) {
            let number: UInt64 = try reader.integer("number")
            let settledBy: UInt64? = try reader.optional("settled by")
            let reply = try StoredReply(from: &reader, barriers: barriers)
            if case .decision(let reference) = reply { barriers.refer(to: reference) }
            entries.append(Entry(number: number, state: .answered(reply, settledBy: settledBy)))
        }
        entries.sort { $0.number < $1.number }
        for (entry, next) in zip(entries, entries.dropFirst()) where entry.number == next.number {
            throw .invalid(field: "number", reason: "\(entry.number) comes twice")
        }
        self.init(confirmed: confirmed, newest: newest, entries: entries)
    }
}

extension StoredReply {
    private enum Kind: UInt8 {
        case reply = 1
        case decision = 2
    }

    func encode(into writer: inout ByteWriter, barriers: BarrierTable) {
        switch self {
        case .reply(let reply):
            writer.integer(Kind.reply.rawValue)
            reply.encode(into: &writer)
        case .decision(let reference):
            writer.integer(Kind.decision.rawValue)
            writer.name(barriers[reference.barrier].name)
            writer.integer(reference.generation)
            writer.integer(reference.rank)
        }
    }

    init(from reader: inout ByteReader, barriers: BarrierTable) throws(WireError) {
        let kind: Kind = try reader.choice("stored reply")
        switch kind {
        case .reply: self = .reply(try Reply(from: &reader))
        case .decision:
            let name = try reader.name("barrier")
            let generation: UInt64 = try reader.integer("generation")
            guard let barrier = barriers.index(of: name),
                barriers[barrier].decision(of: generation) != nil
            else { throw .unknown(field: "generation", value: generation) }
            self = .decision(
                DecisionReference(
                    barrier: barrier, generation: generation, rank: try reader.integer("rank")))
        }
    }
}
