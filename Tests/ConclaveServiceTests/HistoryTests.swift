import ConclaveBase
import ConclaveCoordination
import ConclaveService
import ConclaveWire
import Testing

@Suite struct `Questions about what happened` {
    private let group: TestGroup
    private let holder: ConnectionID
    private let reader: ConnectionID
    private let name: ObjectName

    init() throws {
        var quotas = Quotas()
        quotas.historyCountPerObject = 1
        group = TestGroup(quotas: quotas)
        name = try ObjectName("lock")
        (holder, _) = try group[0].connectWithSession(pid: 1)
        reader = group[0].connect(pid: 2)
        group[0].hello(reader)
        _ = try group[0].received(reader)
    }

    private func ask(_ query: HistoryQuery, isLocal: Bool = false, number: UInt64 = 1) {
        group[0].send(.history, number: number, reader) {
            ObjectQuery(.history(query), isLocal: isLocal).encode(into: &$0)
        }
    }

    private func reports() throws -> [HistoryReport] {
        let frames = try group[0].received(reader).filter {
            $0.header.type == ClientFrameType.history.rawValue
        }
        return try frames.map { frame in
            var reader = ByteReader(frame.body)
            let report = try HistoryReport(from: &reader)
            try reader.finish()
            return report
        }
    }

    @Test func `wait until what was acknowledged is applied here`() throws {
        group[0].request(try lock("lock"), number: 1, holder)
        group.isHeld = true
        ask(HistoryQuery(name))
        #expect(try reports().isEmpty)
        group.order()
        let report = try #require(try reports().first)
        #expect(report.entries.count == 1 && report.states[0].holderCount == 1)
        #expect(report.version == group.machine.version)
    }

    @Test func `are answered at once from the own copy if that will do`() throws {
        group.isHeld = true
        ask(HistoryQuery(name), isLocal: true)
        #expect(try reports().map(\.states) == [[]])
    }

    @Test func `before what is kept, or still to come, are refused by name`() throws {
        group[0].request(try lock("lock"), number: 1, holder)
        let token = try #require(
            group.machine.why(name).objects.first?.holders.first.map { FencingToken($0.token) })
        group[0].request(.release(name: name, token: token), number: 2, holder)
        ask(HistoryQuery(name, at: .version(Version(1))), number: 1)
        ask(HistoryQuery(name, at: .version(Version(.max))), number: 2)
        let refusals = try group[0].received(reader).refusals
        #expect(refusals.map(\.code) == [.historyGone, .invalid])
        let time = group.machine.time.iso8601
        let kept = try group.machine.history(HistoryQuery(name))
        #expect(
            refusals[0].message
                == "the history of lock is kept from version \(kept.floor) on, "
                + kept.floorTime.iso8601)
        #expect(
            refusals[1].message
                == "that is still to come: this copy reaches to version \(group.machine.version), "
                + "\(time); a question that is not local reaches to now")
    }
}
