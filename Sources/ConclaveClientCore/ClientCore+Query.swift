package import ConclaveBase
package import ConclaveWire

extension ClientCore {
    /// A question, or a wish of an administrator, that needs no session; asking again does no harm.
    package enum Query: Equatable, Sendable {
        case status
        case members
        /// With `follow`: later views come as events.
        case views(follow: Bool)
        /// A page of locks; who has something, who waits, and for whom; or a leader: first the
        /// present state, then each change, also "nobody".
        case objects(ObjectQuery)
        case readKeys(KeyQuery)
        /// First the present state, or what changed after a version, then each change.
        case watchKeys(KeyWatch)
        /// First the members, or what happened after a version, then each view and message.
        case followGroup(GroupFollow)
        case addMember(NodeID, address: String)
        case removeMember(NodeID)
        /// Go on without the members that are gone, in that era of versions at least.
        case recover(eraAtLeast: UInt16)
        /// Something goes wrong at the daemon for a while; nil: nothing any more.
        case disturb(Disturbance?)
    }
}

extension ClientCore.Query {
    var type: ClientFrameType {
        switch self {
        case .status: .status
        case .members: .members
        case .views: .views
        case .objects(let query): query.type
        case .readKeys: .readKeys
        case .watchKeys: .watchKeys
        case .followGroup: .followGroup
        case .addMember: .addMember
        case .removeMember: .removeMember
        case .recover: .recover
        case .disturb: .disturb
        }
    }

    var isSubscription: Bool {
        switch self {
        case .views(let follow): follow
        case .objects(let query): query.type == .observeLeader
        case .watchKeys, .followGroup: true
        case .status, .members, .readKeys, .addMember, .removeMember, .recover, .disturb: false
        }
    }

    /// Who asks it is told when changes may be missed.
    var isDoubted: Bool {
        switch self {
        case .objects, .watchKeys, .followGroup: isSubscription
        case .status, .members, .views, .readKeys, .addMember, .removeMember, .recover, .disturb:
            false
        }
    }

    /// The daemon keeps it until it can be answered, or is told that nobody waits any more.
    var mayWait: Bool {
        switch self {
        case .objects, .readKeys, .watchKeys, .followGroup: true
        case .views(let follow): follow
        case .status, .members, .addMember, .removeMember, .recover, .disturb: false
        }
    }

    /// Something may have changed though no answer came.
    var isWish: Bool {
        switch self {
        case .addMember, .removeMember, .recover, .disturb: true
        case .status, .members, .views, .objects, .readKeys, .watchKeys, .followGroup: false
        }
    }

    var body: [UInt8] {
        var writer = ByteWriter()
        switch self {
        case .status, .members: break
        case .views(let follow): writer.flag(follow)
        case .objects(let query): query.encode(into: &writer)
        case .readKeys(let query): query.encode(into: &writer)
        case .watchKeys(let watch): watch.encode(into: &writer)
        case .followGroup(let follow): follow.encode(into: &writer)
        case .addMember(let node, let address):
            writer.integer(node.number)
            writer.text(address)
        case .removeMember(let node): writer.integer(node.number)
        case .recover(let era): writer.integer(era)
        case .disturb(let disturbance):
            writer.flag(disturbance != nil)
            disturbance?.encode(into: &writer)
        }
        return writer.bytes
    }

    /// As it is asked on another connection.
    func resumed(_ call: Call) -> Self {
        if let group = call.group { return .followGroup(group.resumed) }
        guard case .watchKeys(var asked) = self, let watch = call.watch else { return self }
        asked.from = watch.upTo
        return .watchKeys(asked)
    }

    func decode(reply body: [UInt8]) throws(WireError) -> ClientCore.Report {
        var reader = ByteReader(body)
        let report = try decode(from: &reader)
        try reader.finish()
        return report
    }

    func decode(event body: [UInt8]) throws(WireError) -> ClientCore.Report {
        guard case .views = self else { return try decode(reply: body) }
        var reader = ByteReader(body)
        let view = try ViewReport(from: &reader)
        try reader.finish()
        return .view(view)
    }

    private func decode(from reader: inout ByteReader) throws(WireError) -> ClientCore.Report {
        switch self {
        case .status: return .status(try StatusReport(from: &reader))
        case .objects(let query): return try Self.decode(query, from: &reader)
        case .readKeys: return .keys(try KeyReport(from: &reader))
        case .watchKeys: return .keyNews(try KeyNews(from: &reader))
        case .followGroup: return .groupNews(try GroupNews(from: &reader))
        case .addMember, .removeMember: return .memberChange(try reader.epoch("epoch"))
        case .recover: return .recovered(try RecoverReport(from: &reader))
        case .disturb: return .disturbed
        case .members:
            var members: [MemberReport] = []
            for _ in 0..<(try reader.count("members", maximum: 64)) {
                members.append(try MemberReport(from: &reader))
            }
            return .members(members)
        case .views:
            var views: [ViewReport] = []
            for _ in 0..<(try reader.count("views", maximum: ClientLimits.listed)) {
                views.append(try ViewReport(from: &reader))
            }
            return .views(views)
        }
    }

    private static func decode(
        _ query: ObjectQuery, from reader: inout ByteReader
    ) throws(WireError) -> ClientCore.Report {
        switch query.subject {
        case .locks: .locks(try ObjectPage(from: &reader))
        case .why: .why(try WhyReport(from: &reader))
        case .leader: .leader(try LeaderState(from: &reader))
        case .lease, .leases: .leases(try LeasePage(from: &reader))
        case .latch, .latches: .latches(try LatchPage(from: &reader))
        case .sessions: .sessions(try SessionPage(from: &reader))
        case .history: .history(try HistoryReport(from: &reader))
        }
    }
}
