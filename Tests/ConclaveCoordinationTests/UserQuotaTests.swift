import ConclaveBase
import ConclaveWire
import Testing

@testable import ConclaveCoordination

/// What processes of one user may have together, so that the others notice nothing of them.
@Suite struct `Quotas of a user` {
    private var stage = Stage()
    private let names = ["a", "b", "c", "d", "e"].map { ObjectName(known: $0) }

    private mutating func begin(_ change: (inout Quotas) -> Void) {
        var quotas = Quotas()
        change(&quotas)
        stage = Stage(quotas: quotas)
    }

    private mutating func open(_ pid: UInt32, uid: UInt32) -> SessionID {
        stage.apply(.open(Stage.open(pid, uid: uid)))
        return SessionID(stage.version.number)
    }

    private func isRefused(_ number: UInt64, of session: SessionID) -> Bool {
        stage.refusal(of: number, of: session) == .quotaExceeded
    }

    @Test mutating func `bound what all sessions of the user hold and await`() throws {
        begin { $0.claimsPerUID = 2 }
        let (one, two) = (open(1, uid: 1_000), open(2, uid: 1_000))
        let (other, root) = (open(3, uid: 2_000), open(4, uid: 0))
        stage.acquire(other, 1, names[0])
        stage.acquire(one, 1, names[0])
        stage.request(two, 1, .campaign(slot: names[0], value: []))
        for session in [one, two] {
            stage.acquire(session, 2, names[1])
            #expect(isRefused(2, of: session))
        }
        for (number, name) in zip((1 as UInt64)..., names[1...3]) {
            stage.acquire(root, number, name)
            #expect(stage.refusal(of: number, of: root) == nil)
        }
        try stage.restore()
        stage.request(two, 3, .acquireAll(LockSet([LockSet.Part(names[4], .exclusive)])))
        #expect(isRefused(3, of: two))
        stage.end(one, .died)
        stage.acquire(two, 4, names[4])
        #expect(stage.refusal(of: 4, of: two) == nil)
        stage.acquire(two, 5, ObjectName(known: "f"))
        #expect(isRefused(5, of: two))
    }

    private mutating func takeOver(_ session: SessionID, pid: UInt32, uid: UInt32) {
        stage.apply(
            .resume(
                ResumeCommand(
                    session: session, secret: stage.coordinator.sessionState(session)!.secret,
                    confirmed: 0,
                    process: Stage.process(pid, uid: uid), member: Stage.member(1), nonce: 99)))
    }

    private var isTakeoverRefused: Bool {
        stage.effects.contains { effect in
            guard case .openRefused(nonce: 99, _, let refusal) = effect else { return false }
            return refusal.code == .quotaExceeded
        }
    }

    @Test mutating func `go with a session to the user whose process takes it over`() {
        begin { $0.claimsPerUID = 1 }
        let (one, other) = (open(1, uid: 1_000), open(2, uid: 2_000))
        stage.acquire(one, 1, names[0])
        takeOver(one, pid: 9, uid: 2_000)
        stage.apply(.yieldAttachment(session: one, attachment: 1))
        stage.acquire(other, 1, names[1])
        #expect(isRefused(1, of: other))
        let third = open(3, uid: 1_000)
        stage.acquire(third, 1, names[1])
        #expect(stage.refusal(of: 1, of: third) == nil)
        stage.end(one, .died, attachment: 2)
        stage.acquire(other, 2, names[2])
        #expect(stage.refusal(of: 2, of: other) == nil)
    }

    @Test mutating func `keep a session from a user who would have too much with it`() {
        begin {
            $0.claimsPerUID = 1
            $0.sessionsPerUID = 2
            $0.replyByteCountPerUID = 65
        }
        let (one, other) = (open(1, uid: 1_000), open(2, uid: 2_000))
        stage.request(one, 1, all(names[0]))
        stage.acquire(other, 1, names[1])
        var token = stage.token
        takeOver(one, pid: 9, uid: 2_000)
        #expect(isTakeoverRefused, "claims")
        stage.request(other, 2, .release(name: names[1], token: token))
        stage.request(other, 3, all(names[1]))
        token = stage.token
        stage.request(other, 4, .releaseAll(names: [names[1]], token: token))
        takeOver(one, pid: 9, uid: 2_000)
        #expect(isTakeoverRefused, "bytes of replies")
        stage.request(other, 5, confirmed: 4, put(names[0]))
        let third = open(3, uid: 2_000)
        takeOver(one, pid: 9, uid: 2_000)
        #expect(isTakeoverRefused, "sessions")
        stage.end(third, .goodbye)
        takeOver(one, pid: 9, uid: 2_000)
        #expect(!isTakeoverRefused)
        takeOver(one, pid: 9, uid: 2_000)
        #expect(!isTakeoverRefused, "it was taken already")
        stage.apply(.yieldAttachment(session: one, attachment: 1))
        #expect(stage.coordinator.sessionState(one)?.process.uid == 2_000)
    }

    @Test mutating func `count what is about to be taken over`() {
        begin { $0.sessionsPerUID = 2 }
        let (one, two) = (open(1, uid: 1_000), open(2, uid: 1_000))
        _ = open(3, uid: 2_000)
        takeOver(one, pid: 9, uid: 2_000)
        #expect(!isTakeoverRefused)
        takeOver(two, pid: 10, uid: 2_000)
        #expect(isTakeoverRefused)
        takeOver(one, pid: 11, uid: 2_000)
        #expect(!isTakeoverRefused, "another process of the same user, of the same session")
        stage.end(one, .goodbye)
        takeOver(two, pid: 10, uid: 2_000)
        #expect(!isTakeoverRefused)
    }

    @Test mutating func `begin anew for a user who comes when others have gone`() {
        begin { $0.claimsPerUID = 1 }
        for (pid, uid) in zip((1 as UInt32)..., [1_000, 2_000, 1_000, 3_000] as [UInt32]) {
            let (one, two) = (open(2 * pid, uid: uid), open(2 * pid + 1, uid: uid))
            stage.acquire(one, 1, names[0])
            #expect(stage.refusal(of: 1, of: one) == nil)
            stage.acquire(two, 1, names[1])
            #expect(isRefused(1, of: two))
            stage.end(one, .died)
            stage.end(two, .goodbye)
        }
    }

    private func put(_ key: ObjectName, _ value: [UInt8] = []) -> Operation {
        .transact(
            KeyTransaction(
                compares: [], operations: [.put(key, value: value, isEphemeral: false)]))
    }

    @Test mutating func `bound the keys that it has put, however short they are`() throws {
        begin { $0.keysPerUID = 2 }
        let (one, other) = (open(1, uid: 1_000), open(2, uid: 2_000))
        for (number, key) in zip((1 as UInt64)..., names[..<3]) {
            stage.request(one, number, put(key))
        }
        #expect(isRefused(3, of: one))
        stage.request(one, 4, put(names[0]))
        #expect(stage.refusal(of: 4, of: one) == nil)
        stage.request(other, 1, put(names[0]))
        try stage.restore()
        stage.request(one, 5, put(names[3]))
        #expect(stage.refusal(of: 5, of: one) == nil)
        stage.request(one, 6, put(names[4]))
        #expect(isRefused(6, of: one))
    }

    private func arrival(_ name: ObjectName, of parties: UInt32 = 2) -> Operation {
        .arrive(BarrierArrival(name: name, parties: parties, payload: []))
    }

    @Test mutating func `bound the barriers that it came to first`() throws {
        begin { $0.barriersPerUID = 1 }
        let (one, other) = (open(1, uid: 1_000), open(2, uid: 2_000))
        stage.request(one, 1, arrival(names[0]))
        try stage.restore()
        stage.request(one, 2, arrival(names[1]))
        #expect(isRefused(2, of: one))
        stage.request(other, 1, arrival(names[1]))
        stage.request(one, 3, arrival(names[1]))
        #expect(stage.refusal(of: 3, of: one) == nil)
        stage.end(one, .died)
        let next = open(3, uid: 1_000)
        stage.request(next, 1, arrival(names[2]))
        #expect(stage.refusal(of: 1, of: next) == nil)
    }

    @Test mutating func `bound its arrivals that wait, at whosever barriers`() throws {
        begin { $0.replyByteCountPerUID = 2 * ClientLimits.waitingArrival }
        let (one, two) = (open(1, uid: 1_000), open(2, uid: 1_000))
        let (other, root) = (open(3, uid: 2_000), open(4, uid: 0))
        for name in names[0...2] {
            stage.request(root, UInt64(name.text.utf8.first!), arrival(name, of: 9))
        }
        stage.request(one, 1, arrival(names[0], of: 9))
        stage.request(two, 1, arrival(names[0], of: 9))
        try stage.restore()
        stage.request(two, 2, arrival(names[1], of: 9))
        #expect(isRefused(2, of: two))
        stage.request(other, 1, arrival(names[1], of: 9))
        #expect(stage.refusal(of: 1, of: other) == nil)
        // What they waited for is over.
        stage.end(root, .died)
        stage.request(two, 3, arrival(names[1], of: 9))
        #expect(stage.refusal(of: 3, of: two) == nil)
    }

    @Test mutating func `are not root's`() throws {
        begin {
            $0.latchesPerUID = 0
            $0.leasesPerUID = 0
            $0.valueByteCountPerUID = 0
            $0.groupByteCountPerUID = 0
        }
        for (uid, isBound) in [(0, false), (1_000, true)] as [(UInt32, Bool)] {
            let session = open(uid + 1, uid: uid)
            let name = ObjectName(known: "of \(uid)")
            let operations: [Operation] = [
                .latch(LatchOperation(name, .countDown(of: 1))),
                .lease(LeaseOperation(name, .grant(ttl: .seconds(9), holder: "me"))),
                put(name, [1]), .joinGroup(GroupJoin(name: name)),
            ]
            for (number, operation) in zip((1 as UInt64)..., operations) {
                stage.request(session, number, operation)
                #expect(isRefused(number, of: session) == isBound, "\(operation)")
            }
        }
    }

    private func all(_ name: ObjectName) -> Operation {
        .acquireAll(LockSet([LockSet.Part(name, .exclusive)]))
    }

    @Test mutating func `bound what its leaders and candidates announce`() throws {
        begin { $0.valueByteCountPerUID = 5 }
        let (one, two, other) = (open(1, uid: 1_000), open(2, uid: 1_000), open(3, uid: 2_000))
        stage.request(one, 1, .campaign(slot: names[0], value: [1, 2, 3]))
        let token = stage.token
        stage.request(two, 1, .campaign(slot: names[0], value: [1, 2, 3]))
        #expect(isRefused(1, of: two))
        stage.request(two, 2, .campaign(slot: names[0], value: [1, 2]))
        #expect(stage.refusal(of: 2, of: two) == nil)
        try stage.restore()
        stage.request(one, 2, .announce(slot: names[0], token: token, value: [1, 2, 3, 4]))
        #expect(isRefused(2, of: one))
        stage.request(one, 3, .announce(slot: names[0], token: token, value: [1]))
        #expect(stage.refusal(of: 3, of: one) == nil)
        stage.request(two, 3, .campaign(slot: names[1], value: [1, 2]))
        #expect(stage.refusal(of: 3, of: two) == nil)
        stage.request(other, 1, .campaign(slot: names[2], value: [1, 2, 3, 4, 5]))
        #expect(stage.refusal(of: 1, of: other) == nil)
        stage.end(two, .goodbye)
        stage.request(one, 4, .campaign(slot: names[3], value: [1, 2, 3, 4]))
        #expect(stage.refusal(of: 4, of: one) == nil)
    }

    @Test mutating func `bound payloads at barriers that it came to first`() throws {
        begin { $0.valueByteCountPerUID = 5 }
        let (one, other) = (open(1, uid: 1_000), open(2, uid: 2_000))
        func arrival(_ name: ObjectName, _ payload: [UInt8]) -> Operation {
            .arrive(BarrierArrival(name: name, parties: 2, payload: payload))
        }
        stage.request(one, 1, arrival(names[0], [1, 2, 3]))
        stage.request(one, 2, arrival(names[1], [1, 2, 3]))
        #expect(isRefused(2, of: one))
        try stage.restore()
        stage.request(other, 1, arrival(names[0], [1, 2, 3]))
        #expect(isRefused(1, of: other), "it counts for who came first")
        stage.request(other, 2, arrival(names[2], [1, 2, 3, 4, 5]))
        #expect(stage.refusal(of: 2, of: other) == nil)
        stage.request(other, 3, arrival(names[0], [1, 2]))
        #expect(stage.refusal(of: 3, of: other) == nil)
        // The result is kept until both have confirmed it.
        stage.request(one, 3, arrival(names[3], [1]))
        #expect(isRefused(3, of: one))
        stage.request(one, 4, confirmed: 3, put(names[0]))
        stage.request(other, 4, confirmed: 3, put(names[0]))
        stage.request(one, 5, arrival(names[3], [1, 2, 3, 4, 5]))
        #expect(stage.refusal(of: 5, of: one) == nil)
    }

    @Test mutating func `keep a session with values from a user who would have too many`() {
        begin { $0.valueByteCountPerUID = 3 }
        let (one, other) = (open(1, uid: 1_000), open(2, uid: 2_000))
        for (session, name) in [(one, names[0]), (other, names[1])] {
            stage.request(session, 1, .campaign(slot: name, value: [1, 2]))
        }
        let token = stage.token
        takeOver(one, pid: 9, uid: 2_000)
        #expect(isTakeoverRefused)
        stage.request(other, 2, .announce(slot: names[1], token: token, value: [1]))
        takeOver(one, pid: 9, uid: 2_000)
        #expect(!isTakeoverRefused)
    }

    /// What adds nothing to a barrier is answered though its user has too much.
    @Test mutating func `keep no party from what was decided, nor from being found to disagree`() {
        begin { $0.valueByteCountPerUID = 2 }
        let (one, two) = (open(1, uid: 1_000), open(2, uid: 2_000))
        func arrival(parties: UInt32, generation: UInt64? = nil) -> Operation {
            .arrive(
                BarrierArrival(
                    name: names[0], parties: parties, generation: generation, payload: [1]))
        }
        stage.request(one, 1, arrival(parties: 2))
        let generation = stage.version.number
        stage.request(two, 1, arrival(parties: 2))
        #expect(stage.refusal(of: 1, of: two) == nil)
        stage.request(two, 2, arrival(parties: 2, generation: generation))
        #expect(stage.refusal(of: 2, of: two) == nil)
        stage.request(one, 2, arrival(parties: 2))
        #expect(isRefused(2, of: one))
        stage.request(one, 3, confirmed: 2, .arrive(BarrierArrival(name: names[0], parties: 2)))
        stage.request(two, 3, arrival(parties: 3))
        guard case .broken? = stage.reply(to: 3, of: two) else {
            Issue.record("\(stage.effects)")
            return
        }
    }

    /// A reply of many locks takes as much as they do.
    @Test mutating func `bound what replies that are not confirmed hold`() throws {
        begin { $0.replyByteCountPerSession = 1 }
        let one = open(1, uid: 1_000)
        stage.request(one, 1, all(names[0]))
        let token = stage.token
        stage.request(one, 2, all(names[1]))
        #expect(isRefused(2, of: one))
        try stage.restore()
        stage.request(one, 3, all(names[1]))
        #expect(isRefused(3, of: one))
        stage.request(one, 4, .releaseAll(names: [names[0]], token: token))
        #expect(stage.reply(to: 4, of: one) == .done)
        stage.request(one, 5, confirmed: 4, all(names[1]))
        #expect(stage.refusal(of: 5, of: one) == nil)
    }

    /// What lets go of something is done all the same.
    @Test mutating func `bound what refusals hold`() throws {
        begin { $0.replyByteCountPerUID = 2_048 }
        let (one, other) = (open(1, uid: 1_000), open(2, uid: 2_000))
        let mistaken = Operation.release(name: names[0], token: FencingToken(1))
        for number in [1, 2] as [UInt64] {
            stage.request(one, number, mistaken)
            #expect(stage.refusal(of: number, of: one) == .notHeld)
        }
        stage.acquire(one, 3, names[0])
        #expect(isRefused(3, of: one))
        stage.request(one, 4, mistaken)
        #expect(stage.refusal(of: 4, of: one) == .notHeld)
        try stage.restore()
        stage.acquire(one, 3, names[0])
        #expect(isRefused(3, of: one), "it comes again")
        stage.acquire(other, 1, names[0])
        #expect(stage.refusal(of: 1, of: other) == nil)
        stage.request(
            one, 5, confirmed: 4, .acquire(name: names[1], mode: .exclusive, isTry: false))
        #expect(stage.refusal(of: 5, of: one) == nil)
    }

    /// The reply to a request that waits cannot be refused any more when it comes.
    @Test mutating func `count what the reply to a waiting request may take`() throws {
        begin { $0.replyByteCountPerSession = 1 }
        let (one, two) = (open(1, uid: 1_000), open(2, uid: 1_000))
        stage.acquire(one, 1, names[0])
        let token = stage.token
        stage.request(two, 1, all(names[0]))
        stage.request(two, 2, all(names[1]))
        #expect(isRefused(2, of: two))
        try stage.restore()
        stage.request(two, 3, all(names[1]))
        #expect(isRefused(3, of: two))
        stage.request(one, 2, .release(name: names[0], token: token))
        stage.request(two, 4, all(names[1]))
        #expect(isRefused(4, of: two))
        // It was told after the fourth was made, for all that the group knows.
        stage.request(two, 5, confirmed: 4, all(names[1]))
        #expect(stage.refusal(of: 5, of: two) == nil)
    }

    @Test mutating func `count what a candidate may be told of the leader before`() {
        begin { $0.replyByteCountPerSession = 4_096 }
        let (one, two) = (open(1, uid: 1_000), open(2, uid: 1_000))
        stage.request(one, 1, .campaign(slot: names[0], value: [1]))
        let token = stage.token
        stage.request(two, 1, .campaign(slot: names[0], value: [2]))
        stage.request(two, 2, .campaign(slot: names[1], value: [2]))
        #expect(isRefused(2, of: two))
        stage.request(one, 2, .resign(slot: names[0], token: token))
        stage.request(two, 3, .campaign(slot: names[1], value: [2]))
        #expect(stage.refusal(of: 3, of: two) == nil)
    }

    @Test mutating func `bound what replies to all sessions of the user hold`() throws {
        begin { $0.replyByteCountPerUID = 131 }
        let sessions = (1...3).map { open($0, uid: 1_000) }
        let (other, root) = (open(4, uid: 2_000), open(5, uid: 0))
        for (session, name) in zip(sessions, names) {
            stage.request(session, 1, all(name))
            #expect(stage.refusal(of: 1, of: session) == nil)
        }
        try stage.restore()
        for session in sessions {
            stage.acquire(session, 2, names[4])
            #expect(isRefused(2, of: session))
        }
        for (number, name) in zip((1 as UInt64)..., names[3...]) {
            stage.request(root, number, all(name))
            #expect(stage.refusal(of: number, of: root) == nil)
        }
        stage.acquire(other, 1, names[0])
        #expect(stage.refusal(of: 1, of: other) == nil)
        stage.end(sessions[0], .goodbye)
        stage.acquire(sessions[1], 3, names[4])
        #expect(stage.refusal(of: 3, of: sessions[1]) == nil)
    }

    @Test mutating func `bound what replies to sessions that ended hold`() throws {
        begin { $0.endedReplyByteCount = 150 }
        let sessions = (1...3).map { open($0, uid: 1_000) }
        for session in sessions {
            stage.request(session, 1, all(names[0]))
            stage.end(session, .goodbye)
        }
        try stage.restore()
        let known = sessions.map { session -> Bool in
            stage.request(session, 1, all(names[0]))
            return stage.refusal(of: 1, of: session) == nil
        }
        #expect(known == [false, true, true])
    }
}
