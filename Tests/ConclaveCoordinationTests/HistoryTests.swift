import ConclaveBase
import ConclaveCoordination
import ConclaveWire
import TestSupport
import Testing

@Suite struct `What happened` {
    private var stage = Stage(quotas: quotas)
    private let name = ObjectName(known: "name")
    private let sessions: [SessionID]

    private static var quotas: Quotas {
        var quotas = Quotas()
        quotas.historyCountPerObject = 6
        quotas.historyCount = 10
        return quotas
    }

    init() {
        sessions = stage.open(all: 1...4, hostCount: 3)
    }

    private func history(
        _ name: ObjectName? = nil, kind: HistoryKind? = nil, at moment: KeyMoment = .now,
        before: UInt64? = nil, limit: UInt32 = 256
    ) throws -> HistoryReport {
        try stage.coordinator.history(
            HistoryQuery(name ?? self.name, kind: kind, at: moment, before: before, limit: limit))
    }

    private func events(kind: HistoryKind? = nil) throws -> [ObjectEvent] {
        try history(kind: kind).entries.reversed().map(\.event)
    }

    private func holding(
        _ session: Int, _ token: FencingToken, mode: LockMode = .exclusive, place: UInt32 = 0
    ) -> HistoryHolding {
        let pid = UInt32(session + 1)
        let process = HistoryHolder.Process(
            session: sessions[session], host: NodeID(UInt32(session) % 3 + 1), pid: pid)
        return HistoryHolding(
            holder: HistoryHolder(process: process, uid: 1_000, label: "label-\(pid)"),
            token: token, since: stage.time, mode: mode, place: place)
    }

    private mutating func release(_ session: Int, _ number: UInt64, _ token: FencingToken) {
        stage.request(sessions[session], number, .release(name: name, token: token))
    }

    @Test mutating func `of a lock is told with who, under which token, and how it ended`() throws {
        stage.acquire(sessions[0], 1, name)
        let first = stage.token
        stage.acquire(sessions[1], 1, name)
        release(0, 2, first)
        let second = stage.token
        stage.end(sessions[1], .died)
        let told = try history()
        #expect(
            told.entries.reversed().map(\.event) == [
                .granted(holding(0, first)), .ended(holding(0, first), .released),
                .granted(holding(1, second)), .ended(holding(1, second), .died),
            ])
        #expect(told.entries.map(\.ordinal) == [3, 2, 1, 0])
        #expect(told.entries.allSatisfy { $0.epoch == stage.epoch && $0.time == stage.time })
        #expect(told.entries.map(\.version.number)[1] == second.number)
        #expect(told.floor == .zero && told.next == nil)
        #expect(told.states == [HistoryState(kind: .lock, holdings: [], holderCount: 0)])
    }

    @Test mutating func `a request that is refused or gives up its place is not told`() throws {
        stage.acquire(sessions[0], 1, name)
        stage.acquire(sessions[1], 1, name, isTry: true)
        stage.acquire(sessions[2], 1, name)
        stage.request(sessions[2], 2, .cancel(number: 1, reason: .gaveUp))
        #expect(try events().count == 1)
    }

    @Test mutating func `of a lock that changes its mode is told both ways`() throws {
        stage.acquire(sessions[0], 1, name, .exclusive)
        let first = stage.token
        stage.request(sessions[0], 2, .downgrade(name: name, token: first))
        stage.request(sessions[0], 3, .upgrade(name: name, token: first))
        let second = stage.token
        #expect(
            try events() == [
                .granted(holding(0, first)), .downgraded(holding(0, first, mode: .shared)),
                .upgraded(holding(0, second), token: first, since: stage.time),
            ])
        let versions = try history().entries.reversed().map(\.version)
        let modes = try versions.map { try history(at: .version($0)).states[0].holdings[0] }
        #expect(modes.map(\.mode) == [.exclusive, .shared, .exclusive])
        #expect(modes.map(\.token) == [first, first, second])
    }

    @Test mutating func `of a semaphore is told who has changed its limit`() throws {
        stage.acquire(sessions[0], 1, name, .permits(1, of: 2))
        let token = stage.token
        stage.request(sessions[1], 1, .limit(name: name, limit: 5))
        stage.request(sessions[1], 2, .limit(name: name, limit: 5))
        let holder = holding(1, token).holder
        #expect(
            try events() == [
                .granted(holding(0, token, mode: .permits(1, of: 2))),
                .limited(from: 2, to: 5, by: holder),
            ])
    }

    @Test mutating func `of a lock that is closed after a loss is told until when`() throws {
        stage.request(
            sessions[0], 1,
            .acquire(name: name, mode: .exclusive, isTry: false, lockDelay: .seconds(7)))
        let token = stage.token
        stage.end(sessions[0], .died)
        let since = stage.version
        stage.apply(.openLock(name: name, since: since))
        #expect(
            try events() == [
                .granted(holding(0, token)), .ended(holding(0, token), .died),
                .closed(.seconds(7)), .opened,
            ])
        #expect(try history(at: .version(since)).states[0].holdings.isEmpty)
    }

    @Test mutating func `of a leader slot is told by whom it was led, and who handed over`() throws
    {
        stage.request(sessions[0], 1, .campaign(slot: name, value: [1]))
        let first = stage.token
        stage.request(sessions[1], 1, .campaign(slot: name, value: [2]))
        stage.request(
            sessions[0], 2, .handOver(slot: name, token: first, to: sessions[1]))
        let second = stage.token
        stage.request(sessions[1], 2, .resign(slot: name, token: second))
        #expect(
            try events(kind: .leaderSlot) == [
                .granted(holding(0, first)), .ended(holding(0, first), .handedOver),
                .granted(holding(1, second)), .ended(holding(1, second), .released),
            ])
        #expect(try events(kind: .lock).isEmpty)
    }

    private func leased(_ holder: String, _ token: FencingToken) -> HistoryHolding {
        HistoryHolding(
            holder: HistoryHolder(process: nil, uid: 1_000, label: holder), token: token,
            since: stage.time)
    }

    @Test mutating func `of a lease is told all but its renewals`() throws {
        func lease(_ action: LeaseOperation.Action) -> Operation {
            .lease(LeaseOperation(name, action))
        }
        stage.request(sessions[0], 1, lease(.grant(ttl: .seconds(9), holder: "nightly")))
        let first = stage.token
        stage.request(sessions[0], 2, lease(.renew(token: first)))
        stage.request(
            sessions[0], 3, lease(.transfer(token: first, holder: "weekly", ttl: nil)))
        let second = stage.token
        stage.apply(.expireLease(name: name, renewed: Version(second.number)))
        #expect(
            try events() == [
                .granted(leased("nightly", first)), .ended(leased("nightly", first), .transferred),
                .granted(leased("weekly", second)), .ended(leased("weekly", second), .expired),
            ])
        let then = try history(at: .version(Version(second.number)))
        #expect(then.states.map(\.holdings) == [[leased("weekly", second)]])
    }

    @Test mutating func `of a barrier is told what tripped, and what broke by whom`() throws {
        for session in sessions[..<2] {
            stage.request(session, 1, .arrive(BarrierArrival(name: name, parties: 2)))
        }
        stage.request(sessions[2], 1, .arrive(BarrierArrival(name: name, parties: 3)))
        stage.end(sessions[2], .died)
        let told = try events()
        guard case .tripped(let first)? = told.first,
            case .broken(let second, .partyEnded, let breaker)? = told.last
        else {
            Issue.record("\(told)")
            return
        }
        #expect(told.count == 2)
        #expect(first.parties == 2 && first.arrivedCount == 2)
        #expect(second.number == first.number + 1)
        #expect(second.parties == 3 && second.arrivedCount == 1)
        #expect(breaker.process?.session == sessions[2])
    }

    @Test mutating func `of a host that was lost is told so`() throws {
        stage.acquire(sessions[2], 1, name)
        stage.install([Stage.member(1), Stage.member(2)])
        stage.apply(.expire(session: sessions[2], attachment: 1, epoch: stage.epoch))
        guard case .ended(_, .hostLost)? = try events().last else {
            Issue.record("\(try events())")
            return
        }
    }

    /// Takes and releases the lock by turns, so that there are two events more each time.
    private mutating func use(_ name: ObjectName, times: UInt64, from number: UInt64 = 1) {
        for turn in 0..<times {
            stage.acquire(sessions[3], number + 2 * turn, name)
            stage.request(
                sessions[3], number + 2 * turn + 1, .release(name: name, token: stage.token))
        }
    }

    @Test mutating func `a busy object forgets its own past, not that of others`() throws {
        let quiet = ObjectName(known: "quiet")
        stage.acquire(sessions[0], 1, quiet)
        use(name, times: 20)
        let busy = try history()
        #expect(busy.entries.count == 6)
        #expect(busy.floor.number == busy.entries.last!.version.number - 1)
        let other = try history(quiet)
        #expect(other.entries.count == 1 && other.floor == .zero)
    }

    @Test mutating func `of all objects together the oldest is forgotten first`() throws {
        let names = ["a", "b", "c"].map(ObjectName.init(known:))
        for (index, name) in names.enumerated() {
            use(name, times: 2, from: UInt64(4 * index + 1))
        }
        #expect(try history(names[0]).entries.count == 2)
        #expect(try history(names[0]).floor > .zero)
        #expect(try history(names[1]).floor == .zero)
        use(names[1], times: 1, from: 13)
        #expect(try history(names[0]).entries.isEmpty)
        // Who asks for what is forgotten is not told that nothing happened.
        #expect(try history(names[0]).floor > .zero)
        #expect(try history(ObjectName(known: "never")).floor == history(names[0]).floor)
    }

    /// Who asks for a name has every kind in mind: that nothing is known of one is no "nobody".
    @Test mutating func `a moment before what is kept of any kind that is asked for is refused`()
        throws
    {
        stage.request(sessions[0], 1, .campaign(slot: name, value: [1]))
        let term = stage.token
        stage.request(sessions[0], 2, .resign(slot: name, token: term))
        let resigned = stage.version
        use(name, times: 1)
        use(ObjectName(known: "a"), times: 2, from: 3)
        use(ObjectName(known: "b"), times: 2, from: 7)
        let then = KeyMoment.version(Version(term.number))
        #expect(throws: HistoryFault.gone(floor: resigned, stage.time)) { try history(at: then) }
        #expect(throws: HistoryFault.gone(floor: resigned, stage.time)) {
            try history(kind: .leaderSlot, at: then)
        }
        #expect(try history().floor == resigned)
        // Of the lock itself everything is known.
        #expect(try history(kind: .lock).floor == .zero)
        #expect(try history(kind: .lock, at: then).states.map(\.holdings) == [[]])
        #expect(try history(at: .version(resigned)).entries.isEmpty)
    }

    @Test mutating func `what it takes is bounded in bytes, too`() throws {
        var quotas = Quotas()
        quotas.historyByteCount = 2_000
        stage = Stage(quotas: quotas)
        _ = stage.open(all: 1...4, hostCount: 3)
        use(name, times: 30)
        let count = try history().entries.count
        #expect((5...10).contains(count), "\(count)")
    }

    @Test mutating func `who held it is known at each version that is kept`() throws {
        stage.acquire(sessions[0], 1, name, .shared)
        let first = stage.token
        stage.acquire(sessions[1], 1, name, .shared)
        let second = stage.token
        stage.time = Timestamp(microseconds: stage.time.microseconds + 10)
        release(0, 2, first)
        let version = stage.version
        func holders(_ moment: KeyMoment) throws -> [SessionID?] {
            try history(at: moment).states.flatMap(\.holdings).map(\.holder.process?.session)
        }
        #expect(try holders(.version(Version(first.number))) == [sessions[0]])
        #expect(try holders(.version(Version(second.number))) == [sessions[0], sessions[1]])
        #expect(try holders(.version(version)) == [sessions[1]])
        #expect(try holders(.now) == [sessions[1]])
        let before = Timestamp(microseconds: stage.time.microseconds - 1)
        #expect(try holders(.time(before)) == [sessions[0], sessions[1]])
        #expect(try history(at: .version(Version(second.number))).entries.count == 2)
    }

    @Test mutating func `before the floor nothing is told, and after now neither`() throws {
        use(name, times: 4)
        let floor = try history().floor
        #expect(try history(at: .version(floor)).entries.isEmpty)
        #expect(throws: HistoryFault.gone(floor: floor, stage.time)) {
            try history(at: .version(Version(floor.number - 1)))
        }
        #expect(throws: HistoryFault.notReached(stage.version, stage.time)) {
            try history(at: .version(stage.version.next))
        }
    }

    @Test mutating func `it comes a page at a time`() throws {
        use(name, times: 3)
        let first = try history(limit: 4)
        #expect(first.entries.map(\.ordinal) == [5, 4, 3, 2] && first.next == 2)
        let second = try history(before: first.next, limit: 4)
        #expect(second.entries.map(\.ordinal) == [1, 0] && second.next == nil)
    }

    @Test mutating func `it begins anew where the state was lost`() throws {
        use(name, times: 1)
        stage.install(Stage.members, stateWasLost: true)
        let told = try history()
        #expect(told.entries.isEmpty && told.floor == stage.version)
    }

    @Test mutating func `it goes on from a snapshot as if nothing had been`() throws {
        let quiet = ObjectName(known: "quiet")
        stage.acquire(sessions[0], 1, quiet)
        use(name, times: 5)
        var restored = stage
        try restored.restore()
        for number in stride(from: UInt64(11), to: 21, by: 2) {
            for index in 0..<2 {
                var other = index == 0 ? stage : restored
                other.acquire(sessions[3], number, name)
                other.request(
                    sessions[3], number + 1, .release(name: name, token: other.token))
                if index == 0 { stage = other } else { restored = other }
            }
            #expect(restored.coordinator.digest == stage.coordinator.digest)
        }
        let query = HistoryQuery(quiet)
        #expect(
            try restored.coordinator.history(query) == stage.coordinator.history(query))
    }
}
