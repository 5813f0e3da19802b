import ConclaveBase
import ConclaveWire
import Testing

/// Valid bytes of one layout, and its decoder: it must take them, give them back unchanged, refuse
/// every beginning of them, and survive anything else.
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
}

private let name = try! ObjectName("db/migrate")
private let other = try! ObjectName("db/copy")
private let secret = Secret(high: 0x0102_0304_0506_0708, low: 0x1112_1314_1516_1718)
private let token = FencingToken(0x0001_0000_0000_0007)
private let time = Timestamp(microseconds: 1_700_000_000_000_000)
private let member = Member(node: NodeID(3), incarnation: Incarnation(0xFEED))

extension Sample {
    static let all =
        sessionFrames + operations + replies + reports + keys + leases + latches + revocations
        + sessions + groups + history + guards + [
            frameHeader, view, lineage,
        ]

    static func operation(_ operation: Operation, onLoss: LossAction = .notify) -> Sample {
        let type = operation.type
        return Sample(
            "operation \(type)",
            OperationFrame(confirmed: 6, onLoss: onLoss, operation: operation),
            decode: { reader in
                guard let frame = try OperationFrame(type, from: &reader) else {
                    throw WireError.unknown(field: "type", value: UInt64(type.rawValue))
                }
                return frame
            }, encode: { $0.encode(into: &$1) })
    }

    private static let operations: [Sample] = [
        .operation(.acquire(name: name, mode: .shared, isTry: true)),
        .operation(
            .acquire(name: name, mode: .permits(2, of: 3), isTry: false, priority: -7)),
        .operation(.acquire(name: name, mode: .permits(1), isTry: false, priority: .max)),
        .operation(
            .acquire(
                name: name, mode: .exclusive, isTry: false, lockDelay: .seconds(600),
                task: TaskTag(
                    number: 3,
                    within: [
                        .init(session: SessionID(5), number: 0),
                        .init(session: SessionID(6), number: .max),
                    ]))),
        .operation(.release(name: name, token: token)),
        .operation(
            .acquireAll(
                LockSet(
                    [LockSet.Part(other, .shared), LockSet.Part(name, .permits(2, of: 3))],
                    isTry: true, priority: -3, lockDelay: .seconds(4),
                    task: TaskTag(number: 1)))),
        .operation(.releaseAll(names: [other, name].sorted { $0 < $1 }, token: token)),
        .operation(.downgrade(name: name, token: token)),
        .operation(.upgrade(name: name, token: token)),
        .operation(.limit(name: name, limit: 5)),
        .operation(.campaign(slot: name, value: [1, 2, 3], priority: 4, task: TaskTag(number: 1))),
        .operation(.campaign(slot: name, value: [], places: 3)),
        .operation(.handOver(slot: name, token: token, to: SessionID(12))),
        .operation(.announce(slot: name, token: token, value: [4])),
        .operation(.resign(slot: name, token: token)),
        .operation(
            .arrive(
                BarrierArrival(name: name, parties: 4, rank: 3, generation: 9, payload: [7, 7]))),
        .operation(.arrive(BarrierArrival(name: name, parties: 1))),
        .operation(
            .arrive(
                BarrierArrival(
                    name: name, group: BarrierGroup(name, among: [FencingToken(3), token]),
                    member: token, generation: 9, payload: [7]))),
        .operation(.cancel(number: 5, reason: .timedOut)),
        .operation(
            .transact(KeyTransaction(operations: [.put(name, value: [6], isEphemeral: false)]))),
    ]

    private static func reply(_ description: String, _ reply: Reply) -> Sample {
        Sample(
            "reply \(description)", reply, decode: { try Reply(from: &$0) },
            encode: { $0.encode(into: &$1) })
    }

    private static let party = BarrierParty(
        rank: 1, host: NodeID(2), pid: 33, arrivedAt: time, payload: [5])
    private static let absences = [
        BarrierAbsence(rank: 0), BarrierAbsence(rank: 2, host: NodeID(1), pid: 7, lastSeen: time),
        BarrierAbsence(rank: 3, hasEnded: true),
    ]

    private static let replies: [Sample] = [
        .reply(
            "granted",
            .granted(LockGrant(name: name, mode: .exclusive, token: token, previousEnd: .died))),
        .reply(
            "granted all",
            .grantedAll([
                LockGrant(name: name, mode: .shared, token: token, previousEnd: .none),
                LockGrant(name: other, mode: .exclusive, token: token, previousEnd: .died),
            ])),
        .reply("busy", .busy(holder: SessionID(12))),
        .reply("busy without a holder", .busy(holder: nil)),
        .reply(
            "elected",
            .elected(
                Term(slot: name, token: token, previousEnd: .expired, previousValue: [8, 9]))),
        .reply("done", .done),
        .reply(
            "tripped",
            .tripped(
                BarrierResult(
                    name: name, generation: 4, rank: 1, parties: [party, party], view: 8))),
        .reply(
            "broken",
            .broken(
                BarrierBreak(
                    name: name, generation: 4, reason: .timedOut, message: "pid 7 gave up",
                    missing: absences, arrivedCount: 1, parties: 4))),
        .reply("cancelled", .cancelled),
        .reply("cancel outcome", .cancelOutcome(wasCancelled: true)),
        .reply("refused", .refused(Refusal(.notHeld, "never was"))),
    ]

    private static let serving = ServingState(isServing: false, reason: "no majority")

    private static let sessionFrames: [Sample] = [
        Sample(
            "client hello", ClientHello(version: 1, features: 2, name: "conclavectl"),
            decode: { try ClientHello(from: &$0) }, encode: { $0.encode(into: &$1) }),
        Sample(
            "daemon hello",
            DaemonHello(
                version: 1, features: 2, node: NodeID(3), epoch: Epoch(4), serving: serving,
                minimumTTL: .seconds(3), maximumTTL: .seconds(60)),
            decode: { try DaemonHello(from: &$0) }, encode: { $0.encode(into: &$1) }),
        Sample(
            "serving state", serving, decode: { try ServingState(from: &$0) },
            encode: { $0.encode(into: &$1) }),
        Sample(
            "open", OpenRequest(id: secret, ttl: .seconds(5), label: "backup"),
            decode: { try OpenRequest(from: &$0) }, encode: { $0.encode(into: &$1) }),
        Sample(
            "resume", ResumeRequest(session: SessionID(9), secret: secret, confirmed: 5),
            decode: { try ResumeRequest(from: &$0) }, encode: { $0.encode(into: &$1) }),
        Sample(
            "session opened",
            SessionOpened(
                session: SessionID(9), secret: secret, version: Version(10), slot: 2,
                ttl: .seconds(5), waiting: [4, 6]),
            decode: { try SessionOpened(from: &$0) }, encode: { $0.encode(into: &$1) }),
    ]

    private static let session = SessionReport(
        session: SessionID(9), host: NodeID(1), pid: 77, uid: 1_000, unit: "app.service",
        label: "backup", token: 0, mode: .shared, since: time, remaining: .seconds(4))
    private static let waitingForSeveral: SessionReport = {
        var report = session
        report.set = WaitingSet(standing: .reserved, count: 3, next: other)
        return report
    }()

    private static let object = ObjectReport(
        kind: .lock, name: name, holders: [session], waiters: [session, waitingForSeveral],
        parties: 0,
        generation: 0, value: [1])

    private static let barrier: ObjectReport = {
        var report = ObjectReport(
            kind: .barrier, name: name, holders: [], waiters: [session], parties: 4, generation: 6)
        report.missing = absences
        report.group = GroupSummary(name: other, view: 9, memberCount: 3)
        return report
    }()

    private static let reports: [Sample] = [
        Sample(
            "barrier report", barrier, decode: { try ObjectReport(from: &$0) },
            encode: { $0.encode(into: &$1) }),
        Sample(
            "object report", object, decode: { try ObjectReport(from: &$0) },
            encode: { $0.encode(into: &$1) }),
        Sample(
            "leader state",
            LeaderState(
                slot: name,
                places: 3,
                leaders: [
                    LeaderState.Leader(
                        session: SessionID(9), host: NodeID(1), pid: 77, label: "a", place: 2,
                        token: token, value: [1, 2], since: time)
                ],
                standbyCount: 3, version: Version(11)),
            decode: { try LeaderState(from: &$0) }, encode: { $0.encode(into: &$1) }),
        Sample(
            "leader state without a leader",
            LeaderState(slot: name, leaders: [], standbyCount: 0, version: Version(11)),
            decode: { try LeaderState(from: &$0) }, encode: { $0.encode(into: &$1) }),
        Sample(
            "status",
            StatusReport(
                node: NodeID(1), lineage: Lineage(high: 1, low: 2), epoch: Epoch(3), rank: 0,
                serving: serving, isDurable: true,
                members: [
                    MemberReport(
                        node: NodeID(1), address: "10.0.0.1:7400", state: .member, rank: 0,
                        incarnation: 5),
                    MemberReport(
                        node: NodeID(2), address: "10.0.0.2:7400", state: .absent, rank: nil,
                        incarnation: nil),
                ], version: Version(11), age: .seconds(2), sessions: 1, objects: 2,
                timing: TimingReport(
                    heartbeat: .milliseconds(100), suspicion: .seconds(1), stall: .seconds(5),
                    minimumTTL: .seconds(3), maximumTTL: .seconds(60)),
                disturbances: [Disturbance(.cut(NodeID(2)), for: .seconds(9))]),
            decode: { try StatusReport(from: &$0) }, encode: { $0.encode(into: &$1) }),
        Sample(
            "view report",
            ViewReport(
                epoch: Epoch(3), at: time, members: [NodeID(1), NodeID(2)], joined: [NodeID(2)],
                departed: [
                    .init(node: NodeID(3), reason: .silent, by: NodeID(1), silent: .seconds(1))
                ], stateWasLost: true, historyWasGivenUp: true),
            decode: { try ViewReport(from: &$0) }, encode: { $0.encode(into: &$1) }),
        Sample(
            "recover report",
            RecoverReport(
                epoch: Epoch(9), lineage: Lineage(high: 1, low: 2),
                version: Version(startOfEra: 3), appliedCount: 4, kept: [NodeID(1)],
                removed: [NodeID(2), NodeID(3)], quietFor: .seconds(60),
                stateWasLost: true),
            decode: { try RecoverReport(from: &$0) }, encode: { $0.encode(into: &$1) }),
        Sample(
            "object page",
            ObjectPage(version: Version(11), objects: [object, object], next: name),
            decode: { try ObjectPage(from: &$0) }, encode: { $0.encode(into: &$1) }),
        Sample(
            "page query", ObjectQuery(.locks(prefix: "a/", after: name)),
            decode: { try objectQuery(.locks, from: &$0) }, encode: { $0.encode(into: &$1) }),
        Sample(
            "why query", ObjectQuery(.why(name), isLocal: true),
            decode: { try objectQuery(.why, from: &$0) }, encode: { $0.encode(into: &$1) }),
        Sample(
            "leader query", ObjectQuery(.leader(name)),
            decode: { try objectQuery(.observeLeader, from: &$0) },
            encode: { $0.encode(into: &$1) }),
        Sample(
            "why",
            WhyReport(
                objects: [object], group: GroupSummary(name: name, view: 8, memberCount: 2),
                chain: [
                    .init(
                        waiter: SessionID(1), kind: .lock, name: name, holder: SessionID(2))
                ], version: Version(11)),
            decode: { try WhyReport(from: &$0) }, encode: { $0.encode(into: &$1) }),
    ]

    private static func objectQuery(
        _ type: ClientFrameType, from reader: inout ByteReader
    ) throws -> ObjectQuery {
        try #require(try ObjectQuery(type, from: &reader))
    }

    private static let frameHeader = Sample(
        "frame header",
        FrameHeader(bodyByteCount: 20, type: 16, flags: [.reply, .last], number: 8),
        decode: { try FrameHeader(from: &$0) }, encode: { $0.encode(into: &$1) })

    private static let view = Sample(
        "view", View(epoch: Epoch(3), members: [member, member]), decode: { try $0.view("view") },
        encode: { $1.view($0) })

    private static let lineage = Sample(
        "lineage", Lineage(high: 1, low: 2), decode: { try $0.lineage("lineage") },
        encode: { $1.lineage($0) })
}
