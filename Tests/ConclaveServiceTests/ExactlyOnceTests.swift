import ConclaveBase
import ConclaveClientCore
import ConclaveCoordination
import ConclaveService
import ConclaveWire
import Testing

/// Services, the state machine and client cores in one loop, with everything that may break between
/// them broken at random.
@Suite struct `Service, state machine and clients together` {
    @Test(arguments: 1...60)
    func `each request is applied once and answered once, whatever breaks`(seed: UInt64) throws {
        let story = try Story(seed: seed)
        for _ in 0..<1_500 { try story.turn() }
        try story.heal()
        story.checkAnswers()
    }

    /// Of a session the group keeps next to nothing, and the clients know that.
    @Test(arguments: 1...30)
    func `bursts beyond what is kept meet no quota, whatever breaks`(seed: UInt64) throws {
        let story = try Story(seed: seed, requestsPerSession: 3)
        for _ in 0..<600 { try story.turn() }
        try story.heal()
        story.checkAnswers()
        for client in story.clients {
            for case .failed(.refused(let refusal)) in client.answers.values {
                #expect(refusal.code != .quotaExceeded, "seed \(seed): \(refusal)")
            }
        }
    }

    @Test func `the stories contain what they are about`() throws {
        var resumes = 0
        var grants = 0
        var lost = 0
        for seed in UInt64(1)...10 {
            let story = try Story(seed: seed)
            for _ in 0..<1_500 { try story.turn() }
            try story.heal()
            resumes += story.clients.reduce(0) { $0 + $1.resumeCount }
            grants += story.grants.count
            lost += story.clients.count { $0.isLost }
        }
        #expect(resumes > 100)
        #expect(grants > 300)
        #expect(lost > 0)
    }
}

private final class Story {
    struct Grant: Hashable {
        var name: ObjectName
        var token: FencingToken
    }

    let seed: UInt64
    private var random: SeededRandom
    private let group: TestGroup
    private let requestsPerSession: Int
    private let furtherCalls: Int
    private let names: [ObjectName]
    private(set) var clients: [StoryClient] = []
    private var present: [StoryClient] = []
    private var toldCount = 0
    private var replies: [SessionID: [UInt64: Reply]] = [:]
    /// By name, since one version may grant several locks.
    private(set) var grants: Set<Grant> = []

    init(seed: UInt64, requestsPerSession: Int? = nil) throws {
        self.seed = seed
        random = SeededRandom(seed: seed)
        var quotas = Quotas()
        if let requestsPerSession { quotas.requestsPerSession = requestsPerSession }
        group = TestGroup(daemonCount: 3, quotas: quotas)
        self.requestsPerSession = quotas.requestsPerSession
        furtherCalls = requestsPerSession == nil ? 0 : 6
        names = try (requestsPerSession == nil ? ["a", "b"] : ["a", "b", "c", "d", "e", "f"])
            .map { try ObjectName($0) }
        group.isHeld = true
        for _ in 0..<4 { addClient() }
    }

    private func addClient() {
        let client = StoryClient(
            pid: UInt32(clients.count + 1), group: group, requestsInFlight: requestsPerSession,
            random: random.split())
        clients.append(client)
        present.append(client)
    }

    func turn() throws {
        pass(random.interval(in: .zero ... .milliseconds(30)))
        for client in present where random.chance(perMille: 500) {
            while random.chance(perMille: 800), try client.deliverToDaemon() {}
            while random.chance(perMille: 800), try client.deliverFromDaemon() {}
        }
        group.order(count: Int(random.below(4)))
        let client = present[Int(random.below(UInt64(present.count)))]
        switch random.below(100) {
        case 0..<4: client.disconnect()
        case 4..<6: changeView()
        case 6..<9: client.cancelOldest()
        case let choice:
            callOnce(client, isRelease: choice < 50)
            for _ in 0..<furtherCalls { callOnce(client, isRelease: random.chance(perMille: 450)) }
        }
        client.connect(to: group[Int(random.below(3))])
        if random.chance(perMille: 200) { client.noticeClosed() }
        check()
        replaceLost()
    }

    private func callOnce(_ client: StoryClient, isRelease: Bool) {
        if isRelease {
            client.release(name())
        } else {
            let wait = random.chance(perMille: 500) ? Interval.milliseconds(300) : nil
            client.acquire(name(), within: wait)
        }
    }

    private func pass(_ interval: Interval) {
        group.advance(interval)
        if random.chance(perMille: 300) { group.confirm() }
        for client in present { client.tick() }
    }

    private func name() -> ObjectName { names[Int(random.below(UInt64(names.count)))] }

    /// A view of two or three, in which the order goes on; what was not ordered is dropped.
    private func changeView() {
        var members = group.daemons.map(\.member)
        if random.chance(perMille: 500) { members.remove(at: Int(random.below(3))) }
        group.install(members)
    }

    private func replaceLost() {
        for index in present.indices where present[index].isLost {
            present.remove(at: index)
            return addClient()
        }
    }

    // MARK: - What must hold

    private func check() {
        for name in names {
            let holders = present.filter { $0.believesToHold(name) }.map(\.pid)
            #expect(holders.count <= 1, "seed \(seed): \(holders) hold \(name)")
        }
        for effect in group.told[toldCount...] {
            guard case .reply(let session, let number, let reply) = effect else { continue }
            note(reply, to: number, of: session)
        }
        toldCount = group.told.count
    }

    private func note(_ reply: Reply, to number: UInt64, of session: SessionID) {
        if let known = replies[session]?[number] {
            // Only what the session's end decided may differ: a reply that is not there any more.
            let isOver = group.machine.sessionState(session) == nil
            #expect(known == reply || isOver, "seed \(seed): two replies to \(number)")
            return
        }
        replies[session, default: [:]][number] = reply
        guard case .granted(let grant) = reply else { return }
        let isNew = grants.insert(Grant(name: grant.name, token: grant.token)).inserted
        #expect(isNew, "seed \(seed): token \(grant.token) of \(grant.name) given twice")
    }

    /// Nothing breaks any more: everything that waits is answered.
    func heal() throws {
        group.install(group.daemons.map(\.member))
        group.isHeld = false
        group.order()
        for _ in 0..<400 where present.contains(where: { !$0.open.isEmpty }) {
            group.advance(.milliseconds(50))
            group.confirm()
            for client in present {
                client.tick()
                client.noticeClosed()
                client.connect(to: group[0])
                while try client.deliverToDaemon() {}
                while try client.deliverFromDaemon() {}
                for name in names { client.release(name) }
            }
            check()
        }
    }

    func checkAnswers() {
        for client in clients {
            #expect(client.open.isEmpty, "seed \(seed): pid \(client.pid) waits for ever")
        }
        // What a client was told is what the group decided.
        for client in clients {
            for case .reply(.granted(let grant)) in client.answers.values {
                let isKnown = grants.contains(Grant(name: grant.name, token: grant.token))
                #expect(isKnown, "seed \(seed): \(grant) was never given")
            }
        }
    }
}
