import ConclaveBase
import ConclaveGroup
import ConclaveWire
import Testing

/// Valid bytes of one layout, and its decoder.
struct Sample: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let bytes: [UInt8]
    /// Decodes all of the bytes and encodes the result.
    let recode: @Sendable ([UInt8]) throws -> [UInt8]

    init<Value>(
        _ description: String, _ value: Value,
        decode: @escaping @Sendable (inout ByteReader) throws -> Value,
        encode: @escaping @Sendable (Value, inout ByteWriter) -> Void
    ) {
        testDescription = description
        var writer = ByteWriter()
        encode(value, &writer)
        bytes = writer.bytes
        recode = { bytes in
            var reader = ByteReader(bytes)
            let value = try decode(&reader)
            try reader.finish()
            var writer = ByteWriter()
            encode(value, &writer)
            return writer.bytes
        }
    }

    init(_ description: String, _ frame: MembershipFrame) {
        self.init(
            description, frame, decode: { try MembershipFrame(from: &$0) },
            encode: { $0.encode(into: &$1) })
    }

    init(_ description: String, _ record: ViewRecord) {
        self.init(
            description, record, decode: { try ViewRecord(from: &$0) },
            encode: { $0.encode(into: &$1) })
    }

    /// One to three bytes of the sample removed, inserted or changed.
    func changed(_ random: inout SeededRandom) -> [UInt8] {
        var bytes = bytes
        for _ in 0...random.below(3) {
            let place = Int(random.below(UInt64(bytes.count + 1)))
            switch random.below(4) {
            case 0 where place < bytes.count: bytes.remove(at: place)
            case 1: bytes.insert(UInt8(truncatingIfNeeded: random.next()), at: place)
            case 2 where place < bytes.count: bytes[place] = 0xFF
            default:
                if place < bytes.count { bytes[place] ^= 1 << UInt8(random.below(8)) }
            }
        }
        return bytes
    }
}

extension Sample {
    static let member = Member(node: NodeID(3), incarnation: Incarnation(0xFEED))
    static let other = Member(node: NodeID(5), incarnation: Incarnation(0xBEEF))
    static let lineage = Lineage(high: 0x0102_0304, low: 0x0506_0708)
    static let ballot = Ballot(round: 7, rank: Rank(1))

    static let list = MemberList(
        [
            MemberList.Entry(node: NodeID(5), address: Array("10.0.0.5:7400".utf8)),
            MemberList.Entry(node: NodeID(3), address: []),
        ], givenMinimum: 2)
    static let addition = MemberChange(
        .add(MemberList.Entry(node: NodeID(5), address: Array("10.0.0.5:7400".utf8))),
        by: "uid 0")
    static let removal = MemberChange(.remove(NodeID(9)), by: "")

    /// What a member remembers that was in view 4 of `members`.
    static func memory(of members: [Member]) -> ViewMemory {
        var memory = ViewMemory()
        memory.apply(.installed(view(4, of: members), voteFrom: Epoch(1)))
        return memory
    }

    /// A view that nobody is missing from.
    static func view(_ number: UInt64, of members: [Member]) -> NextView {
        var value = view
        value.installed.view = View(epoch: Epoch(number), members: members)
        value.installed.departed = []
        value.installed.absent = []
        return value
    }

    static let view = NextView(
        lineage: lineage,
        installed: InstalledView(
            view: View(epoch: Epoch(9), members: [member, other]), joined: [NodeID(5)],
            departed: [
                InstalledView.Departed(
                    member: Member(node: NodeID(1), incarnation: Incarnation(1)), reason: .silent,
                    by: NodeID(3), silent: .milliseconds(700))
            ],
            absent: [
                InstalledView.Departed(
                    member: Member(node: NodeID(2), incarnation: Incarnation(4)), reason: .died,
                    by: NodeID(5), silent: .seconds(7))
            ],
            minimumMembers: 2, stateWasLost: false),
        trim: [4, 0, 9], era: 20_000, maximumSessionTTL: .seconds(60), list: list, change: addition,
        time: Timestamp(microseconds: 1_700_000_000_000_000))

    /// Of a membership that a test drives by itself.
    static let settings = MembershipSettings(
        heartbeat: .milliseconds(100), suspicion: .milliseconds(400), minimumMembers: 1,
        minimumEra: 1, maximumSessionTTL: .seconds(60))

    static let three = (1...3).map {
        Member(node: NodeID(UInt32($0)), incarnation: Incarnation(UInt64($0)))
    }

    static let start = Instant(nanoseconds: 1_000_000_000)

    static let promise = Promise(
        epoch: Epoch(9), ballot: ballot, from: member, vector: [4, 0, 9], delivered: [4, 0, 7],
        livedThrough: true,
        accepted: Promise.Accepted(ballot: Ballot(round: 3, rank: Rank(0)), value: view),
        hears: [NodeID(5), NodeID(1)],
        silences: silences, wanted: removal)

    /// As a peer would send it.
    private static var silences: [Promise.Silence] {
        var writer = ByteWriter()
        bare.encode(into: &writer)
        // The number of silences stands before the flag that nothing is wanted.
        writer.patch(UInt32(1), at: writer.bytes.count - 5)
        var silent = ByteWriter()
        silent.raw(writer.bytes.dropLast())
        silent.member(other)
        silent.integer(Interval.milliseconds(3).nanoseconds)
        silent.flag(false)
        var reader = ByteReader(silent.bytes)
        return (try? Promise(from: &reader))?.silences ?? []
    }

    private static var bare: Promise {
        Promise(
            epoch: Epoch(9), ballot: ballot, from: member, vector: nil, livedThrough: false,
            accepted: nil, hears: [], silences: [])
    }

    static let frames: [Sample] = [
        Sample("ping", .ping(17)),
        Sample("pong", .pong(17)),
        Sample(
            "accuse", .accuse(Epoch(9), whom: NodeID(3), reason: .stalled, silent: .seconds(1))),
        Sample("prepare", MembershipFrame.prepare(ballot, decided: view)),
        Sample("promise", .promise(promise)),
        Sample("bare promise", .promise(bare)),
        Sample("overtaken", .overtaken(Epoch(9), by: ballot)),
        Sample("raise", .raise(Epoch(9), ballot, trim: [1, 2, 3])),
        Sample(
            "fill",
            .fill(
                Epoch(9), ballot, to: NodeID(3),
                ranges: [
                    FillRange(sender: 0, ordinals: 3..<9), FillRange(sender: 2, ordinals: 0..<1),
                ])),
        Sample("level", .level(Epoch(9), ballot)),
        Sample("accept", MembershipFrame.accept(ballot, view)),
        Sample("accepted", .accepted(Epoch(9), ballot)),
        Sample("install", .install(view)),
        Sample("found", .found(lineage, founder: member, members: [NodeID(3), NodeID(5)])),
        Sample("founded", .founded(lineage, founder: Incarnation(8), by: other)),
        Sample("leave", .leave(Epoch(9))),
        Sample("addition", .change(Epoch(9), addition)),
        Sample("removal", .change(Epoch(9), removal)),
    ]

    static let records: [Sample] = [
        Sample("founding", .founding(lineage, members: [NodeID(3), NodeID(5)])),
        Sample("promise record", ViewRecord.promise(Epoch(9), ballot)),
        Sample("accept record", ViewRecord.accept(ballot, view)),
        Sample("installed record", .installed(view, voteFrom: Epoch(.max))),
        Sample("joining record", ViewRecord.joining(member)),
        Sample(
            "lost record",
            ViewRecord.lost(
                ViewMemory.Loss(lineage: lineage, epoch: Epoch(9), list: list, number: 2))),
    ]

    static let all = frames + records
}
