/// What goes wrong on hosts for a while.
enum HostFault: CustomStringConvertible {
    case linkDown(Int, atBridge: Bool)
    case cut(Int, Int)
    /// Nothing goes from the first to the second.
    case oneWayCut(from: Int, to: Int)
    case isolated(Int)
    /// It hears nobody, and is heard.
    case deaf(Int)
    /// Nobody hears it, and it hears all.
    case mute(Int)
    case killed(Int)
    case allKilled
    case paused(Int)
    case diskFull(Int)
    /// Killed, and a byte of its journal is another one when it comes back.
    case journalDamaged(Int)
    /// The programs at this daemon are killed, and others come.
    case clientsKilled(Int)

    var description: String {
        switch self {
        case .linkDown(let node, let atBridge):
            "link of \(node) down\(atBridge ? " at the bridge" : "")"
        case .cut(let one, let other): "cut between \(one) and \(other)"
        case .oneWayCut(let sender, let receiver): "cut from \(sender) to \(receiver)"
        case .isolated(let node): "\(node) isolated"
        case .deaf(let node): "\(node) deaf"
        case .mute(let node): "\(node) mute"
        case .killed(let node): "\(node) killed"
        case .allKilled: "all killed"
        case .paused(let node): "\(node) paused"
        case .diskFull(let node): "disk of \(node) full"
        case .journalDamaged(let node): "\(node) killed, its journal damaged"
        case .clientsKilled(let node): "clients of \(node) killed"
        }
    }

    /// Else it is over as soon as it has happened.
    var lasts: Bool {
        if case .clientsKilled = self { false } else { true }
    }

    /// A member that loses its journal while others are missing may be one too many: such a fault
    /// comes alone, to a group that is whole.
    var comesAlone: Bool {
        if case .journalDamaged = self { true } else { false }
    }
}

/// What is wrong on the hosts altogether.
struct HostCondition {
    struct Way: Hashable, Comparable {
        var sender: Int
        var receiver: Int

        static func < (lhs: Self, rhs: Self) -> Bool {
            (lhs.sender, lhs.receiver) < (rhs.sender, rhs.receiver)
        }
    }

    private(set) var cutWays: Set<Way> = []
    /// Whose link is down, at its own end and at that of the bridge.
    private(set) var linksDown: Set<Int> = []
    private(set) var linksDownAtBridge: Set<Int> = []
    private(set) var down: Set<Int> = []
    private(set) var paused: Set<Int> = []
    private(set) var fullDisks: Set<Int> = []

    init() {}

    init(_ faults: [HostFault], nodes: ClosedRange<Int>) {
        for fault in faults { add(fault, nodes) }
    }

    private mutating func add(_ fault: HostFault, _ nodes: ClosedRange<Int>) {
        switch fault {
        case .linkDown(let node, atBridge: false): linksDown.insert(node)
        case .linkDown(let node, atBridge: true): linksDownAtBridge.insert(node)
        case .cut(let one, let other):
            cut(from: one, to: other)
            cut(from: other, to: one)
        case .oneWayCut(let sender, let receiver): cut(from: sender, to: receiver)
        case .isolated(let node):
            add(.deaf(node), nodes)
            add(.mute(node), nodes)
        case .deaf(let node): for other in nodes { cut(from: other, to: node) }
        case .mute(let node): for other in nodes { cut(from: node, to: other) }
        case .killed(let node), .journalDamaged(let node): down.insert(node)
        case .allKilled: down.formUnion(nodes)
        case .paused(let node): paused.insert(node)
        case .diskFull(let node): fullDisks.insert(node)
        case .clientsKilled: break
        }
    }

    private mutating func cut(from sender: Int, to receiver: Int) {
        if sender != receiver { cutWays.insert(Way(sender: sender, receiver: receiver)) }
    }
}
