import ConclaveBase
import ConclaveGroup
import Testing

/// A machine's number that two disks have run under: what one has promised the other does not know.
@Suite struct `A node with two disks` {
    private let others = (1...4).map {
        Member(node: NodeID(UInt32($0)), incarnation: Incarnation(UInt64($0)))
    }
    private let node = NodeID(5)

    private func start(_ number: UInt64, from disk: UInt64 = 1) -> Member {
        Member(node: node, incarnation: Incarnation(disk: disk, start: number))
    }

    /// View `epoch` of the others, and of the node if `seat` is given.
    private func view(_ epoch: UInt64, _ seat: Member? = nil) -> NextView {
        var value = Sample.view
        value.installed.view = View(
            epoch: Epoch(epoch), members: others + (seat.map { [$0] } ?? []))
        value.installed.departed = []
        value.installed.absent = []
        value.trim = []
        return value
    }

    private func memory(in epoch: UInt64, seat: Member?) -> ViewMemory {
        var memory = ViewMemory()
        memory.apply(.installed(view(epoch, seat), voteFrom: Epoch(1)))
        return memory
    }

    private func learn(_ value: NextView, _ memory: inout ViewMemory) {
        memory.apply(
            .installed(value, voteFrom: memory.voteFrom(knowing: value, as: start(9))))
    }

    private func mayVote(_ memory: ViewMemory) -> Bool { memory.voteFrom <= memory.epoch }

    @Test func `V13: the older one has no vote where the newer one has a seat`() {
        // It was removed in view 5 and added with another disk in view 6.
        var older = memory(in: 4, seat: start(2))
        learn(view(5), &older)
        #expect(mayVote(older))
        learn(view(6, start(3, from: 2)), &older)
        #expect(!mayVote(older))
        learn(view(7), &older)
        #expect(!mayVote(older))
    }

    @Test func `a disk keeps its vote where the seat is its own`() {
        var memory = memory(in: 4, seat: start(2))
        learn(view(5, start(2)), &memory)
        learn(view(6, start(3)), &memory)
        #expect(mayVote(memory))
    }

    @Test func `V13: a voter loses its vote to the disk that took its place`() {
        let (own, now) = (start(9), Instant(nanoseconds: 1_000_000_000))
        let membership = Membership(
            own: own, configured: (others + [own]).map(\.node),
            settings: MembershipSettings(
                heartbeat: .milliseconds(100), suspicion: .milliseconds(400), minimumMembers: 1,
                minimumEra: 1, maximumSessionTTL: .seconds(60)),
            memory: memory(in: 4, seat: start(2)), vector: [0, 0, 0, 0, 0],
            random: SeededRandom(seed: 1), now: now)
        #expect(membership.mayVote)
        var effects: [Membership.Effect] = []
        membership.step(
            .frame(from: others[0].node, .install(view(5, start(3, from: 2)))), now: now,
            effects: &effects)
        for case .record(_, let token) in effects {
            membership.step(.recorded(token: token), now: now, effects: &effects)
        }
        #expect(membership.memory.epoch == Epoch(5))
        #expect(!membership.mayVote)
    }

    @Test func `an incarnation says which disk it started from`() {
        let last = Incarnation.diskCount - 1
        let one = Incarnation(disk: last, start: Incarnation.startCount - 1)
        #expect(one.disk == last)
        #expect(Incarnation(disk: 3, start: 1) != Incarnation(disk: 4, start: 1))
    }
}
