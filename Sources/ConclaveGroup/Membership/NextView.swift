package import ConclaveBase
package import ConclaveWire

/// What the members of one view decide: the view after it, and where its own epoch ends.
package struct NextView: Equatable, Sendable {
    package var lineage: Lineage
    /// Histories that were given up for this one, the newest last: who still belongs to one of them
    /// has nothing that counts any more.
    package var givenUp: [Lineage]
    package var installed: InstalledView
    /// For each rank of the view before, how many of its messages are delivered in its epoch.
    package var trim: [UInt64]
    /// Versions from this view on are of this era or a later one (V28).
    package var era: UInt16
    /// The longest ttl of any session, a setting of the group (V26).
    package var maximumSessionTTL: Interval
    /// Who may be a member from now on.
    package var list: MemberList
    /// What was changed in the list, if anything was.
    package var change: MemberChange?
    /// The coordinator's wall clock when it proposed this.
    package var time: Timestamp

    package init(
        lineage: Lineage, givenUp: [Lineage] = [], installed: InstalledView, trim: [UInt64],
        era: UInt16, maximumSessionTTL: Interval, list: MemberList, change: MemberChange? = nil,
        time: Timestamp
    ) {
        self.lineage = lineage
        self.givenUp = givenUp
        self.installed = installed
        self.trim = trim
        self.era = era
        self.maximumSessionTTL = maximumSessionTTL
        self.list = list
        self.change = change
        self.time = time
    }

    package var epoch: Epoch { installed.view.epoch }
    package var view: View { installed.view }
    package var members: [Member] { installed.view.members }
}

extension NextView {
    /// Of histories given up the newest are remembered.
    package static let maximumGivenUp = 8
    /// No later one is taken from outside, so that the epoch after it can always be counted.
    package static let lastEpoch: UInt64 = 1 << 62
    /// Nor a later era; a group that gets there stays in it, and its versions grow on.
    package static let lastEra = UInt16.max - 1

    package func encode(into writer: inout ByteWriter) {
        writer.lineage(lineage)
        writer.list(givenUp) { $1.lineage($0) }
        writer.view(view)
        writer.list(installed.joined) { $1.integer($0.number) }
        writer.list(installed.departed, Self.encode)
        writer.list(installed.absent, Self.encode)
        writer.integer(UInt32(installed.minimumMembers))
        writer.flag(installed.stateWasLost)
        writer.flag(installed.historyWasGivenUp)
        writer.list(trim) { $1.integer($0) }
        writer.integer(era)
        writer.integer(maximumSessionTTL.nanoseconds)
        writer.memberList(list)
        writer.flag(change != nil)
        change?.encode(into: &writer)
        writer.integer(time.microseconds)
    }

    package init(from reader: inout ByteReader) throws(WireError) {
        lineage = try reader.lineage("lineage")
        givenUp = []
        for _ in 0..<(try reader.count("given up", maximum: Self.maximumGivenUp)) {
            givenUp.append(try reader.lineage("given up"))
        }
        let view = try reader.view("view")
        guard view.epoch.number <= Self.lastEpoch else {
            throw .outOfRange(
                field: "epoch", value: view.epoch.number, maximum: Self.lastEpoch)
        }
        guard !view.members.isEmpty else {
            throw .invalid(field: "view", reason: "has no members")
        }
        var joined: [NodeID] = []
        for _ in 0..<(try reader.count("joined", maximum: View.maximumMembers)) {
            joined.append(try reader.node("joined"))
        }
        let departed = try Self.departures("departed", from: &reader)
        let absent = try Self.departures("absent", from: &reader)
        let minimumMembers: UInt32 = try reader.integer("minimum members")
        let stateWasLost = try reader.flag("state was lost")
        let historyWasGivenUp = try reader.flag("history was given up")
        installed = InstalledView(
            view: view, joined: joined, departed: departed, absent: absent,
            minimumMembers: Int(minimumMembers), stateWasLost: stateWasLost,
            historyWasGivenUp: historyWasGivenUp)
        trim = []
        let trimCount = try reader.count("trim", maximum: View.maximumMembers)
        trim.reserveCapacity(trimCount)
        for _ in 0..<trimCount {
            trim.append(try reader.integer("trim"))
        }
        era = try reader.integer("era")
        guard era <= Self.lastEra else { throw .invalid(field: "era", reason: "is the last one") }
        maximumSessionTTL = Interval(nanoseconds: try reader.integer("maximum ttl"))
        list = try reader.memberList("member list")
        change = try reader.flag("has change") ? try MemberChange(from: &reader) : nil
        time = try reader.timestamp("time")
    }

    private static func encode(_ departed: InstalledView.Departed, into writer: inout ByteWriter) {
        writer.member(departed.member)
        writer.integer(departed.reason.rawValue)
        writer.integer(departed.by.number)
        writer.integer(departed.silent.nanoseconds)
    }

    private static func departures(
        _ field: String, from reader: inout ByteReader
    ) throws(WireError) -> [InstalledView.Departed] {
        var result: [InstalledView.Departed] = []
        for _ in 0..<(try reader.count(field, maximum: 4_096)) {
            let member = try reader.member(field)
            let number = try reader.byte(field)
            // Not by `choice`: generic code of another module takes longer than all of this.
            guard let reason = DepartureReason(rawValue: number) else {
                throw .unknown(field: field, value: UInt64(number))
            }
            result.append(
                InstalledView.Departed(
                    member: member, reason: reason, by: try reader.node(field),
                    silent: Interval(nanoseconds: try reader.integer(field))))
        }
        return result
    }
}
