import ConclaveBase
import ConclaveCoordination
import ConclaveService
import ConclaveWire

/// A group without a network: what a daemon proposes is appended to a list, and from there applied
/// by one state machine that stands for all copies.
final class TestGroup {
    var now = Instant(nanoseconds: 1_000_000_000_000)
    private(set) var machine: Coordinator
    private(set) var daemons: [TestDaemon] = []
    private(set) var view = View(epoch: .none, members: [])
    /// Proposals of the epoch that are not ordered yet.
    private(set) var proposed: [Command] = []
    /// Marks that were asked for and are not passed yet.
    private(set) var marks: [(number: UInt64, daemon: TestDaemon)] = []
    /// Everything that was applied, in order.
    private(set) var history: [Command] = []
    /// What the machine told.
    private(set) var told: [CoordinationEffect] = []
    /// Of any session, if that is not what the daemons' files say.
    let longestTTL: Interval?
    /// Proposals stay in `proposed` until `order` is called.
    var isHeld = false
    private var isOrdering = false

    init(
        daemonCount: Int = 1, quotas: Quotas = Quotas(), validitySlotCount: UInt32 = 64,
        longestTTL: Interval? = nil, isFounded: Bool = true, plant: Plant? = nil
    ) {
        machine = Coordinator(quotas: quotas)
        self.longestTTL = longestTTL
        daemons = (1...daemonCount).map { number in
            TestDaemon(
                number: UInt32(number), group: self, validitySlotCount: validitySlotCount,
                plant: plant)
        }
        if isFounded { install(daemons.map(\.member)) }
    }

    subscript(index: Int) -> TestDaemon { daemons[index] }

    func advance(_ interval: Interval) {
        now = now.advanced(by: interval)
        for daemon in daemons { daemon.step(.tick) }
    }

    /// Everybody hears everybody now: deadlines move on.
    func confirm() {
        for daemon in daemons where view.contains(daemon.member) {
            daemon.step(.confirmed(since: now))
        }
    }

    /// Lets time pass with heartbeats.
    func live(_ interval: Interval) {
        var rest = interval
        while rest > .zero {
            let step = min(rest, .milliseconds(100))
            rest = rest - step
            advance(step)
            confirm()
        }
    }

    func propose(_ commands: [[UInt8]]) {
        for bytes in commands {
            var reader = ByteReader(bytes)
            guard let command = try? Command(from: &reader) else {
                preconditionFailure("a proposal does not decode")
            }
            proposed.append(command)
        }
        if !isHeld { order() }
    }

    func mark(_ number: UInt64, for daemon: TestDaemon) {
        marks.append((number, daemon))
        if !isHeld { order() }
    }

    /// Applies what was proposed, and what follows from that, up to `count` commands.
    func order(count: Int = .max) {
        // What is proposed meanwhile comes after what everybody is being told.
        guard !isOrdering else { return }
        isOrdering = true
        defer { isOrdering = false }
        var rest = count
        while !proposed.isEmpty, rest > 0 {
            rest -= 1
            let command = proposed.removeFirst()
            history.append(command)
            var effects: [CoordinationEffect] = []
            machine.apply(
                ByteReader(command.bytes), at: machine.version.next, time: time,
                effects: &effects)
            tell(effects)
        }
        passMarks()
    }

    private func passMarks() {
        while proposed.isEmpty, !marks.isEmpty {
            let (number, daemon) = marks.removeFirst()
            if view.contains(daemon.member) { daemon.step(.marked(upTo: number)) }
        }
    }

    /// A new view; what was not ordered is dropped.
    func install(
        _ members: [Member], silent: Interval = .zero, stateWasLost: Bool = false
    ) {
        for daemon in daemons where view.contains(daemon.member) { daemon.step(.wedged) }
        let before = view
        proposed.removeAll()
        marks.removeAll()
        let known = view.members + machine.sessionsOutsideView().map(\.attachment.member)
        let departed = known.filter { !members.contains($0) }.map { member in
            InstalledView.Departed(
                member: member, reason: .silent, by: members[0].node, silent: silent)
        }
        view = View(epoch: view.epoch.next, members: members)
        let installed = InstalledView(
            view: view, joined: [], departed: departed, absent: [], minimumMembers: 1,
            stateWasLost: stateWasLost)
        var effects: [CoordinationEffect] = []
        machine.install(installed, at: machine.version, time: time, effects: &effects)
        told += effects
        for daemon in daemons {
            let rank = view.contains(daemon.member) ? view.rank(of: daemon.member.node) : nil
            daemon.isServing = false
            if rank != nil { daemon.step(.machine(effects)) }
            // Who was not in the view was told nothing meanwhile.
            let isBack = rank != nil && before.epoch != .none && !before.contains(daemon.member)
            daemon.step(.installed(installed, rank: rank, at: time, stateReplaced: isBack))
            daemon.step(
                .serving(
                    ServingState(
                        isServing: rank != nil, reason: rank == nil ? "not in the view" : "")))
            daemon.isServing = rank != nil
        }
        for daemon in daemons { daemon.flush() }
    }

    /// Tells `daemon` that its state was replaced, without the effects that led to it.
    func replaceState(of daemon: TestDaemon) {
        let installed = InstalledView(
            view: view, joined: [], departed: [], absent: [], minimumMembers: 1,
            stateWasLost: false)
        daemon.step(
            .installed(
                installed, rank: view.rank(of: daemon.member.node), at: time, stateReplaced: true))
        daemon.flush()
    }

    private var time: Timestamp { Timestamp(microseconds: now.nanoseconds / 1_000) }

    private func tell(_ effects: [CoordinationEffect]) {
        told += effects
        for daemon in daemons where view.contains(daemon.member) && !daemon.isDeaf {
            daemon.step(.machine(effects))
        }
    }
}
