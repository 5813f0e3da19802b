import ConclaveBase
import ConclaveGroup
import ConclaveWire

/// Several members in one place, with a clock, paths and disks that do what the script says.
///
/// Frames travel in the order in which they were sent, through the codec; records are synced at
/// once unless the script holds them. Everything runs until nothing is left to do.
struct StoryStage {
    struct Node {
        let id: NodeID
        var run: UInt64 = 0
        var membership: Membership?
        /// What the view journal says.
        var memory = ViewMemory()
        /// What of the newest epoch is held and synced; nil: no state.
        var vector: [UInt64]?
        var echoed: [Instant] = []
        var unsynced: [(record: ViewRecord, token: UInt64, at: Instant)] = []
        var holdsSyncs = false
        /// How long each of its syncs takes; they come one after the other.
        var syncTime = Interval.zero
        /// When what it writes next begins to be synced.
        var diskFreeAt = Instant(nanoseconds: 0)
        var holdsLevel = false
        /// As a learner it never says that it is level.
        var isSlow = false

        var member: Member {
            Member(node: id, incarnation: Incarnation(UInt64(id.number) << 8 | run))
        }
    }

    struct Loss: Equatable {
        var kind: String
        var from: String
        var to: String
    }

    struct StoryFault: Error {
        var command: String
    }

    var nodes: [Node] = []
    /// Whom the configuration of the first members names.
    var founders: [NodeID] = []
    var paths: Set<[NodeID]> = []
    var losses: [Loss] = []
    var now = Instant(nanoseconds: 1_000_000_000)
    var wire: [(from: NodeID, to: NodeID, bytes: [UInt8])] = []
    var answer: [String] = []
    var isQuiet = false
    var settings = MembershipSettings(
        heartbeat: .milliseconds(100), suspicion: .milliseconds(400), minimumMembers: 1,
        minimumEra: 1, maximumSessionTTL: .seconds(60))

    mutating func play(_ command: String) throws -> [String] {
        answer = []
        var words = command.split(separator: " ").map(String.init)
        guard !words.isEmpty else { throw StoryFault(command: command) }
        let verb = words.removeFirst()
        if try playNodes(verb, words) || playFaults(verb, words) || playGroup(verb, words) {
            try settle()
            return answer
        }
        throw StoryFault(command: command)
    }

    private mutating func playNodes(_ verb: String, _ words: [String]) throws -> Bool {
        switch verb {
        case "nodes":
            nodes = try words.map { Node(id: try number($0)) }
            founders = nodes.map(\.id)
        case "spare": nodes.append(Node(id: try number(words[0])))
        case "majority-needed": settings.minimumMembers = 0
        case "memory-mode": settings.stateDiesWithProcess = true
        case "plant": settings.plant = Plant(rawValue: words[0])
        case "start": for word in words { try start(try index(word)) }
        case "connect":
            for index in nodes.indices {
                for other in nodes.indices where index < other { connect(index, other) }
            }
        case "join": connect(try index(words[0]), try index(words[1]))
        case "cut": disconnect(try index(words[0]), try index(words[1]), byPeer: false)
        case "kill": kill(try words.map { try index($0) })
        case "erase":
            nodes[try index(words[0])].memory = ViewMemory()
            nodes[try index(words[0])].vector = nil
        case "damage":
            let index = try index(words[0])
            let before = nodes[index].memory
            nodes[index].memory.apply(
                .lost(.init(lineage: before.lineage, epoch: before.epoch, number: 1)))
            nodes[index].vector = nil
        default: return false
        }
        return true
    }

    private mutating func playFaults(_ verb: String, _ words: [String]) throws -> Bool {
        switch verb {
        case "lose": losses.append(Loss(kind: words[0], from: words[1], to: words[2]))
        case "lose-nothing": losses = []
        case "hold-syncs": nodes[try index(words[0])].holdsSyncs = true
        case "sync":
            let index = try index(words[0])
            nodes[index].holdsSyncs = false
            let records = nodes[index].unsynced
            nodes[index].unsynced = []
            for (record, token, _) in records { sync(record, token, at: index) }
        case "slow-disk":
            nodes[try index(words[0])].syncTime = .milliseconds(Int64(words[1]) ?? 0)
        case "hold-level": nodes[try index(words[0])].holdsLevel = true
        case "slow": nodes[try index(words[0])].isSlow = true
        case "vector":
            let vector = words.dropFirst().compactMap { UInt64($0) }
            nodes[try index(words[0])].vector = words[1] == "none" ? nil : vector
        case "echoed":
            nodes[try index(words[0])].echoed = words.dropFirst().map {
                now.advanced(by: .zero - .milliseconds(Int64($0) ?? 0))
            }
        default: return false
        }
        return true
    }

    private mutating func playGroup(_ verb: String, _ words: [String]) throws -> Bool {
        switch verb {
        case "suspect":
            step(
                .suspect(
                    try number(words[1]), .silent, silent: settings.suspicion, late: .zero),
                at: try index(words[0]))
        case "leave": step(.leave, at: try index(words[0]))
        case "add":
            let entry = MemberList.Entry(node: try number(words[1]), address: [])
            step(.change(MemberChange(.add(entry), by: "root")), at: try index(words[0]))
        case "remove":
            let change = MemberChange(.remove(try number(words[1])), by: "root")
            step(.change(change), at: try index(words[0]))
        case "learn", "ready", "let-in":
            let learner = try index(words[0])
            let teacher = try index(words[1])
            let voteFrom = nodes[learner].memory.voteFrom
            let value = try current(of: teacher)
            nodes[learner].membership?.learned(value, voteFrom: voteFrom, now: now)
            nodes[learner].memory.apply(.installed(value, voteFrom: voteFrom))
            guard verb != "learn" else { break }
            let hears = try words.dropFirst(2).map { nodes[try index($0)].member }
            step(.joinerReady(nodes[learner].member, hears: hears), at: teacher)
            if verb == "let-in" { step(.admit, at: teacher) }
        case "suspicion": settings.suspicion = .milliseconds(Int64(words[0]) ?? 400)
        case "tick":
            for _ in 0..<((Int(words[0]) ?? 0) / 25) { try tick() }
        case "quietly":
            isQuiet = true
            defer { isQuiet = false }
            let rest = words.dropFirst().joined(separator: " ")
            _ = try play("\(words[0]) \(rest)")
        case "views": for node in nodes { answer.append(describe(node)) }
        default: return false
        }
        return true
    }

    private func current(of index: Int) throws -> NextView {
        guard let value = nodes[index].memory.current else { throw StoryFault(command: "let-in") }
        return value
    }

    private mutating func tick() throws {
        now = now.advanced(by: .milliseconds(25))
        for index in nodes.indices where !nodes[index].holdsSyncs { syncThoseDue(at: index) }
        for index in nodes.indices { step(.tick, at: index) }
        try settle()
    }

    func index(_ word: String) throws -> Int {
        let id = try number(word)
        guard let index = nodes.firstIndex(where: { $0.id == id }) else {
            throw StoryFault(command: word)
        }
        return index
    }

    private func number(_ word: String) throws -> NodeID {
        guard let number = UInt32(word) else { throw StoryFault(command: word) }
        return NodeID(number)
    }
}
