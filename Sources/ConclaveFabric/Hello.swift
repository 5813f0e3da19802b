package import ConclaveBase
package import ConclaveWire

/// The first frame of each side of a member connection: who speaks, to whom, and what must agree.
/// It is sent again when the lineage changes. The dialled side answers a hello that it accepts.
///
///      0       8         12        28       32      36            44       52         60         68
///      +-------+---------+---------+--------+-------+-------------+--------+----------+----------+
///      | magic | version | lineage |  node  |  to   | incarnation | digest | features | founding |
///      |       | min,max | hi, lo  |        |       |             |        |          |  digest  |
///      +-------+---------+---------+--------+-------+-------------+--------+----------+----------+
///
/// With the first feature the lineages that were given up for this one follow, as a list. What a later
/// version puts behind is not looked at.
package struct Hello: Equatable {
    /// "conclave", as it stands in the stream.
    static let magic: UInt64 = 0x6576_616C_636E_6F63
    /// Of the frames of members, and of the commands and the state in them: whoever reads one of
    /// these in another way would have another state.
    static let ownVersions: ClosedRange<UInt16> = 10...10
    /// No frame is longer before the hello was accepted.
    static let maximumByteCount = 1_024
    private static let givenUpFeature: UInt64 = 1
    private static let maximumGivenUp = 16

    var versions = ownVersions
    var lineage: Lineage
    /// Who belongs to one of these has nothing that counts any more.
    var givenUp: [Lineage] = []
    package var member: Member
    /// Whom the speaker means: two addresses of the configuration may be exchanged.
    package var to: NodeID
    /// Of what members must have been told alike as long as they work together.
    var digest: UInt64
    var features: UInt64
    /// Of what they must have been told alike to found a group: from the first view on, the
    /// replicated settings count.
    var foundingDigest: UInt64

    package init(
        lineage: Lineage, givenUp: [Lineage] = [], member: Member, to: NodeID, digest: UInt64,
        foundingDigest: UInt64
    ) {
        self.lineage = lineage
        self.givenUp = givenUp.suffix(Self.maximumGivenUp)
        features = givenUp.isEmpty ? 0 : Self.givenUpFeature
        self.member = member
        self.to = to
        self.digest = digest
        self.foundingDigest = foundingDigest
    }

    package init(from body: [UInt8]) throws(WireError) {
        var reader = ByteReader(body)
        let magic: UInt64 = try reader.integer("magic")
        guard magic == Self.magic else { throw .unknown(field: "magic", value: magic) }
        let lowest: UInt16 = try reader.integer("lowest version")
        let highest: UInt16 = try reader.integer("highest version")
        guard lowest <= highest else {
            throw .invalid(field: "versions", reason: "\(lowest) is above \(highest)")
        }
        versions = lowest...highest
        lineage = Lineage(
            high: try reader.integer("lineage"), low: try reader.integer("lineage"))
        let node = NodeID(try reader.integer("node"))
        to = NodeID(try reader.integer("to"))
        member = Member(node: node, incarnation: Incarnation(try reader.integer("incarnation")))
        digest = try reader.integer("digest")
        features = try reader.integer("features")
        foundingDigest = try reader.integer("founding digest")
        guard features & Self.givenUpFeature != 0 else { return }
        for _ in 0..<(try reader.count("given up", maximum: Self.maximumGivenUp)) {
            givenUp.append(try reader.lineage("given up"))
        }
    }

    package func encode() -> [UInt8] {
        var writer = ByteWriter(reserving: 68)
        writer.integer(Self.magic)
        writer.integer(versions.lowerBound)
        writer.integer(versions.upperBound)
        writer.integer(lineage.high)
        writer.integer(lineage.low)
        writer.integer(member.node.number)
        writer.integer(to.number)
        writer.integer(member.incarnation.number)
        writer.integer(digest)
        writer.integer(features)
        writer.integer(foundingDigest)
        if features & Self.givenUpFeature != 0 { writer.list(givenUp) { $1.lineage($0) } }
        return writer.bytes
    }

    /// Why this hello cannot be accepted by who would send `own`, if it cannot.
    package func refusal(by own: Hello) -> FabricRefusal? {
        if to != own.member.node { return .wrongNode(meant: to, found: own.member.node) }
        if digest != own.digest { return .configuration }
        let isFounding = lineage == .none && own.lineage == .none
        if isFounding, foundingDigest != own.foundingDigest {
            return .configuration
        }
        return lineageRefusal(by: own.lineage)
    }

    /// A member that has no lineage yet fits to any.
    private func lineageRefusal(by own: Lineage) -> FabricRefusal? {
        guard lineage != .none, own != .none, lineage != own else { return nil }
        return .lineage(theirs: lineage, own: own)
    }
}
