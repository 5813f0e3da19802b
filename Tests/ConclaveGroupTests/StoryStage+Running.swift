import ConclaveBase
import ConclaveGroup
import ConclaveWire

extension StoryStage {
    mutating func start(_ index: Int) throws {
        nodes[index].run += 1
        let node = nodes[index]
        nodes[index].membership = Membership(
            own: node.member,
            configured: founders.contains(node.id) ? founders : founders + [node.id],
            settings: settings,
            memory: node.memory, vector: node.vector,
            random: SeededRandom(seed: node.member.incarnation.number), now: now)
        step(.frozen(vector: node.vector, echoed: []), at: index)
    }

    mutating func connect(_ first: Int, _ second: Int) {
        let pair = [nodes[first].id, nodes[second].id].sorted()
        guard nodes[first].membership != nil, nodes[second].membership != nil,
            paths.insert(pair).inserted
        else { return }
        step(.connected(nodes[second].member), at: first)
        step(.connected(nodes[first].member), at: second)
    }

    mutating func disconnect(_ first: Int, _ second: Int, byPeer: Bool) {
        let pair = [nodes[first].id, nodes[second].id].sorted()
        guard paths.remove(pair) != nil else { return }
        wire.removeAll { [$0.from, $0.to].sorted() == pair }
        step(.disconnected(nodes[first].id, byPeer: byPeer), at: second)
        step(.disconnected(nodes[second].id, byPeer: byPeer), at: first)
    }

    /// Processes die, all at once: what was not synced is gone, and the others see connections
    /// close.
    mutating func kill(_ dead: [Int]) {
        for index in dead {
            nodes[index].membership = nil
            nodes[index].unsynced = []
            nodes[index].holdsSyncs = false
        }
        for index in dead {
            for other in nodes.indices where other != index {
                disconnect(index, other, byPeer: true)
            }
        }
    }

    mutating func settle() throws {
        while !wire.isEmpty {
            let (from, to, bytes) = wire.removeFirst()
            guard paths.contains([from, to].sorted()),
                let index = nodes.firstIndex(where: { $0.id == to })
            else { continue }
            var reader = ByteReader(bytes)
            let frame = try MembershipFrame(from: &reader)
            try reader.finish()
            step(.frame(from: from, frame), at: index)
        }
    }

    mutating func step(_ input: Membership.Input, at index: Int) {
        guard nodes[index].membership != nil else { return }
        var effects: [Membership.Effect] = []
        nodes[index].membership?.step(input, now: now, effects: &effects)
        for effect in effects { perform(effect, at: index) }
    }

    private mutating func perform(_ effect: Membership.Effect, at index: Int) {
        let node = nodes[index]
        switch effect {
        case .send(let frame, let to): send(frame, from: node.id, to: to)
        case .record(let record, let token):
            if node.holdsSyncs || node.syncTime > .zero {
                let start = max(now, node.diskFreeAt)
                nodes[index].diskFreeAt = start.advanced(by: node.syncTime)
                nodes[index].unsynced.append((record, token, nodes[index].diskFreeAt))
            } else {
                sync(record, token, at: index)
            }
        case .wedge:
            say(node, "wedges")
            step(.frozen(vector: node.vector, echoed: node.echoed), at: index)
        case .raise(let trim):
            say(node, "gets level with \(trim)")
            guard !node.holdsLevel else { return }
            nodes[index].vector = trim
            nodes[index].membership?.holds(trim)
            step(.level, at: index)
        case .fill(let to, let ranges): say(node, "fills \(to) with \(describe(ranges))")
        case .levelJoiner(let member, let trim):
            say(node, "brings \(describe(member)) level with \(trim)")
            guard !node.holdsLevel else { return }
            bringLevel(member, trim, at: index)
        case .install(let value, let seat): install(value, seat, at: index)
        case .learn: say(node, "must learn")
        case .event(let event):
            if let text = describe(event) { say(node, text) }
        }
    }

    private mutating func bringLevel(_ member: Member, _ trim: [UInt64], at index: Int) {
        guard let learner = nodes.firstIndex(where: { $0.member == member }),
            !nodes[learner].isSlow
        else { return }
        nodes[learner].membership?.isJoining(member)
        nodes[learner].memory.apply(.joining(member))
        nodes[learner].vector = []
        step(.joinerLevel(member, trim: trim), at: index)
    }

    private mutating func install(_ value: NextView, _ seat: Membership.Seat, at index: Int) {
        say(nodes[index], "is \(seat) of \(describe(value))")
        let hadState = nodes[index].vector != nil
        let hasState = hadState || value.epoch == Epoch(1) || value.installed.stateWasLost
        let vector = hasState ? Array(repeating: UInt64(0), count: value.members.count) : nil
        nodes[index].vector = vector
        nodes[index].echoed = Array(repeating: now, count: value.members.count)
        if seat != .member { nodes[index].membership?.holds(vector) }
    }

    mutating func syncThoseDue(at index: Int) {
        while let first = nodes[index].unsynced.first, first.at <= now {
            nodes[index].unsynced.removeFirst()
            sync(first.record, first.token, at: index)
        }
    }

    mutating func sync(_ record: ViewRecord, _ token: UInt64, at index: Int) {
        nodes[index].memory.apply(record)
        say(nodes[index], "has synced \(describe(record))")
        step(.recorded(token: token), at: index)
    }

    private mutating func send(_ frame: MembershipFrame, from: NodeID, to: NodeID) {
        guard paths.contains([from, to].sorted()) else { return }
        let (kind, text) = describe(frame)
        let isLost = losses.contains {
            ($0.kind == "*" || $0.kind == kind) && ($0.from == "*" || $0.from == "\(from)")
                && ($0.to == "*" || $0.to == "\(to)")
        }
        if kind != "ping", kind != "pong", !isQuiet {
            answer.append("\(from) -> \(to) \(kind)\(text)\(isLost ? " (lost)" : "")")
        }
        guard !isLost else { return }
        var writer = ByteWriter()
        frame.encode(into: &writer)
        wire.append((from, to, writer.bytes))
    }

    private mutating func say(_ node: Node, _ text: String) {
        if !isQuiet { answer.append("\(node.id) \(text)") }
    }
}
