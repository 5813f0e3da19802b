import ConclaveBase
import ConclaveWire

extension Sample {
    private static let name = try! ObjectName("started/42")

    private static func operation(_ action: LatchOperation.Action) -> Sample {
        Sample(
            "latch \(action)", LatchOperation(name, action),
            decode: { try LatchOperation(from: &$0) }, encode: { $0.encode(into: &$1) })
    }

    private static func query(_ subject: ObjectQuery.Subject) -> Sample {
        Sample(
            "query \(subject)", ObjectQuery(subject, isLocal: true),
            decode: { reader in
                guard let query = try ObjectQuery(.readLatches, from: &reader) else {
                    throw WireError.invalid(field: "type", reason: "asks for nothing")
                }
                return query
            }, encode: { $0.encode(into: &$1) })
    }

    private static func report(_ remaining: UInt32, opened: Timestamp?) -> LatchReport {
        LatchReport(
            state: LatchState(name: name, count: 3, remaining: remaining), uid: 1_000,
            since: Timestamp(microseconds: 7), opened: opened, waiterCount: 5)
    }

    private static let object: ObjectReport = {
        var report = ObjectReport(
            kind: .latch, name: name, holders: [], waiters: [], parties: 3)
        report.remaining = 2
        return report
    }()

    static let latches: [Sample] = [
        .operation(.countDown(of: 3)), .operation(.wait(of: .max)), .operation(.remove),
        .query(.latch(name)), .query(.latches(prefix: "started/", after: name)),
        .query(.latches(prefix: "", after: nil)),
        Sample(
            "reply counted", Reply.counted(LatchState(name: name, count: 3, remaining: 3)),
            decode: { try Reply(from: &$0) }, encode: { $0.encode(into: &$1) }),
        Sample(
            "latch page",
            LatchPage(
                version: Version(9),
                latches: [report(2, opened: nil), report(0, opened: Timestamp(microseconds: 9))],
                next: name),
            decode: { try LatchPage(from: &$0) }, encode: { $0.encode(into: &$1) }),
        Sample(
            "latch object", object, decode: { try ObjectReport(from: &$0) },
            encode: { $0.encode(into: &$1) }),
    ]
}
