import ConclaveBase
import ConclaveWire
import DequeModule

extension Replies {
    /// The place of the first entry that is answered and not before `start`.
    func firstAnswered(from start: Int) -> Int? {
        var place = start
        while place < entries.count {
            if entries[place].isAnswered { return place }
            place += 1
        }
        return nil
    }

    init(
        confirmed: UInt64, newest: UInt64, refused: UInt64, unsorted: [Entry]
    ) throws(WireError) {
        let entries = unsorted.sorted { $0.number < $1.number }
        for (entry, next) in zip(entries, entries.dropFirst()) where entry.number == next.number {
            throw .invalid(field: "number", reason: "\(entry.number) comes twice")
        }
        self.init(confirmed: confirmed, newest: newest, refused: refused, entries: entries)
    }
}

extension Replies.Entry {
    /// - Precondition: it is answered.
    func encode(into writer: inout ByteWriter, barriers: Arena<Barrier>) {
        guard case .answered(let reply, let settledBy) = state else {
            preconditionFailure("request \(number) waits")
        }
        writer.integer(number)
        writer.optional(settledBy)
        reply.encode(into: &writer, barriers: barriers)
    }

    init(
        answeredFrom reader: inout ByteReader, barriers: inout BarrierTable
    ) throws(WireError) {
        let number: UInt64 = try reader.integer("number")
        let settledBy: UInt64? = try reader.optional("settled by")
        let reply = try StoredReply(from: &reader, barriers: barriers)
        if case .decision(let reference) = reply { barriers.refer(to: reference) }
        self.init(number: number, state: .answered(reply, settledBy: settledBy))
    }
}

extension StoredReply {
    private enum Kind: UInt8 {
        case reply = 1
        case decision = 2
    }

    fileprivate func encode(into writer: inout ByteWriter, barriers: Arena<Barrier>) {
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
