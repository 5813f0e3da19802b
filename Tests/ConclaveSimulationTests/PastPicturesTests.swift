import ConclaveBase
import ConclaveCoordination
import ConclaveWire
import Testing

@testable import ConclaveSimulation

/// A list that is never cut knows what an answer about the past should have said.
@Suite struct `The check of answers about the past` {
    private let name = try! ObjectName("name")
    private var pictures = PastPictures()
    private var past = SpecifiedPast()
    private var version = Version.zero

    private static var quotas: Quotas {
        var quotas = Quotas()
        quotas.historyCount = 2
        return quotas
    }

    private var holding: HistoryHolding {
        let process = HistoryHolder.Process(session: SessionID(1), host: NodeID(1), pid: 1)
        return HistoryHolding(
            holder: HistoryHolder(process: process, uid: 0, label: ""), token: FencingToken(1),
            since: .zero)
    }

    /// The slot is led at version 1 and forgotten; the lock is held at version 3, and kept.
    init() {
        note(.granted(holding), .leaderSlot)
        note(.ended(holding, .released), .leaderSlot)
        note(.granted(holding), .lock)
        note(.ended(holding, .released), .lock)
    }

    private mutating func note(_ event: ObjectEvent, _ kind: HistoryKind) {
        version = version.next
        let key = SpecifiedPast.Key(kind: kind, name: name)
        let entry = past.note(
            event, key, in: Epoch(1), at: version, Timestamp(microseconds: version.number),
            Self.quotas)
        pictures.note([(key, entry)], past, at: version)
    }

    private func report(
        floor: UInt64, _ entries: [HistoryEntry], states: [HistoryState] = [], next: UInt64? = nil
    ) -> HistoryReport {
        HistoryReport(
            version: version, floor: Version(floor), floorTime: Timestamp(microseconds: floor),
            states: states, entries: entries, next: next)
    }

    private var kept: [HistoryEntry] {
        past.objects[SpecifiedPast.Key(kind: .lock, name: name)]!.entries.reversed()
    }

    @Test func `takes what is right`() {
        #expect(
            pictures.difference(of: report(floor: 2, kept), to: HistoryQuery(name)) == nil)
        let held = HistoryState(kind: .lock, holdings: [holding], holderCount: 1)
        #expect(
            pictures.difference(
                of: report(floor: 2, [kept[1]], states: [held]),
                to: HistoryQuery(name, at: .version(Version(3)))) == nil)
    }

    @Test func `knows who led, whatever floor the answer names`() throws {
        let difference = pictures.difference(
            of: report(floor: 0, []), to: HistoryQuery(name, at: .version(Version(1))))
        #expect(try #require(difference).contains("leaderSlot"))
    }

    @Test func `misses what happened after the floor that the answer names`() throws {
        let difference = pictures.difference(
            of: report(floor: 0, kept), to: HistoryQuery(name))
        #expect(try #require(difference).contains("version 1"), "\(difference ?? "")")
    }

    @Test func `refuses a floor for which there is no reason`() {
        #expect(
            pictures.difference(of: report(floor: 4, kept), to: HistoryQuery(name)) != nil)
        #expect(
            pictures.difference(
                of: report(floor: 2, kept), to: HistoryQuery(name, kind: .lock)) != nil)
    }

    @Test func `knows that there is more`() {
        let query = HistoryQuery(name, limit: 1)
        #expect(pictures.difference(of: report(floor: 2, [kept[0]]), to: query) != nil)
        let ordinal = kept[0].ordinal
        #expect(
            pictures.difference(of: report(floor: 2, [kept[0]], next: ordinal), to: query)
                == nil)
    }

    @Test func `knows what is kept and must not be refused`() {
        #expect(!pictures.keeps(HistoryQuery(name, at: .version(Version(1))), since: version))
        #expect(pictures.keeps(HistoryQuery(name, at: .version(Version(2))), since: version))
        #expect(
            pictures.keeps(
                HistoryQuery(name, kind: .lock, at: .version(Version(1))), since: version))
    }
}
