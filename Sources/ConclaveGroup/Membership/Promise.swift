package import ConclaveBase
package import ConclaveWire

/// A member's answer to Prepare: it takes no lower ballot any more, and says what it knows (V15).
package struct Promise: Equatable, Sendable {
    package var epoch: Epoch
    package var ballot: Ballot
    package var from: Member
    /// For each sender of the epoch, how many messages it holds at the group's durability, frozen;
    /// nil: it has no state.
    package var vector: [UInt64]?
    /// How many of these it has delivered: it cannot give those to anybody any more.
    package var delivered: [UInt64]
    /// Its incarnation installed the epoch, with a seat.
    package var livedThrough: Bool
    package var accepted: Accepted?
    /// Whom it hears, and who hears it, measured since it wedged.
    package var hears: [NodeID]
    /// For how long each other incarnation has at least not been echoed by this member.
    package var silences: [Silence]
    /// The change of the member list that it knows is wanted.
    package var wanted: MemberChange?

    package struct Accepted: Equatable, Sendable {
        package var ballot: Ballot
        package var value: NextView

        package init(ballot: Ballot, value: NextView) {
            self.ballot = ballot
            self.value = value
        }
    }

    package struct Silence: Equatable, Sendable {
        package var member: Member
        package var interval: Interval
    }

    /// How many messages of `sender` it holds; none of one that its vector does not name.
    func held(of sender: Int) -> UInt64 {
        guard let vector, vector.indices.contains(sender) else { return 0 }
        return vector[sender]
    }

    /// Whether it has the messages of `sender` with ordinals in `range`, one by one.
    func canGive(_ range: Range<UInt64>, of sender: Int) -> Bool {
        let first = delivered.indices.contains(sender) ? delivered[sender] : 0
        return first <= range.lowerBound && held(of: sender) >= range.upperBound
    }

    package func encode(into writer: inout ByteWriter) {
        writer.integer(epoch.number)
        writer.ballot(ballot)
        writer.member(from)
        writer.flag(vector != nil)
        if let vector {
            writer.list(vector) { $1.integer($0) }
            writer.list(delivered) { $1.integer($0) }
        }
        writer.flag(livedThrough)
        writer.flag(accepted != nil)
        if let accepted {
            writer.ballot(accepted.ballot)
            accepted.value.encode(into: &writer)
        }
        writer.list(hears) { $1.integer($0.number) }
        writer.list(silences) { silence, writer in
            writer.member(silence.member)
            writer.integer(silence.interval.nanoseconds)
        }
        writer.flag(wanted != nil)
        wanted?.encode(into: &writer)
    }

    package init(
        epoch: Epoch, ballot: Ballot, from: Member, vector: [UInt64]?, delivered: [UInt64] = [],
        livedThrough: Bool, accepted: Accepted?, hears: [NodeID], silences: [Silence],
        wanted: MemberChange? = nil
    ) {
        self.epoch = epoch
        self.ballot = ballot
        self.from = from
        self.vector = vector
        self.delivered = delivered
        self.livedThrough = livedThrough
        self.accepted = accepted
        self.hears = hears
        self.silences = silences
        self.wanted = wanted
    }

    package init(from reader: inout ByteReader) throws(WireError) {
        epoch = try reader.epoch("epoch")
        ballot = try reader.ballot("ballot")
        from = try reader.member("from")
        vector = nil
        delivered = []
        if try reader.flag("has state") {
            vector = try reader.vector("vector")
            delivered = try reader.vector("delivered")
        }
        livedThrough = try reader.flag("lived through")
        if try reader.flag("has accepted") {
            let ballot = try reader.ballot("accepted ballot")
            accepted = Accepted(ballot: ballot, value: try NextView(from: &reader))
        } else {
            accepted = nil
        }
        hears = []
        for _ in 0..<(try reader.count("hears", maximum: View.maximumMembers)) {
            hears.append(try reader.node("hears"))
        }
        silences = []
        for _ in 0..<(try reader.count("silences", maximum: 4_096)) {
            silences.append(
                Silence(
                    member: try reader.member("silent member"),
                    interval: Interval(nanoseconds: try reader.integer("silence"))))
        }
        wanted = try reader.flag("wants a change") ? try MemberChange(from: &reader) : nil
    }
}

extension ByteWriter {
    package mutating func ballot(_ ballot: Ballot) {
        integer(ballot.round)
        integer(UInt32(ballot.rank.index))
    }
}

extension ByteReader {
    /// One number for each sender.
    fileprivate mutating func vector(_ field: String) throws(WireError) -> [UInt64] {
        var vector: [UInt64] = []
        for _ in 0..<(try count(field, maximum: View.maximumMembers)) {
            vector.append(try integer(field))
        }
        return vector
    }

    package mutating func ballot(_ field: String) throws(WireError) -> Ballot {
        let round: UInt64 = try integer(field)
        // There must be a higher one, whatever somebody says.
        guard round <= Ballot.lastRound else {
            throw .outOfRange(field: field, value: round, maximum: Ballot.lastRound)
        }
        let rank: UInt32 = try integer(field)
        return Ballot(round: round, rank: Rank(Int(rank)))
    }
}
