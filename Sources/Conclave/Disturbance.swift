public import ConclaveBase
package import ConclaveWire

/// What can be made to go wrong at a daemon: see `Conclave.disturb`.
public enum Disturbance: Hashable, Sendable {
    /// Nothing comes from that member or goes to it, though the connection stays.
    case cut(NodeID)
    /// The daemon stands still. Validity runs out meanwhile, as if its machine hung.
    case stall
    /// Each sync of its disk takes so much longer.
    case slowDisk(by: Duration)

    /// How long it may last.
    var longest: Interval {
        self == .stall ? ConclaveWire.Disturbance.longestStall : ConclaveWire.Disturbance.longest
    }

    var kind: ConclaveWire.Disturbance.Kind {
        switch self {
        case .cut(let node): .cut(node)
        case .stall: .stall
        case .slowDisk(let pause): .slowDisk(by: Interval(pause))
        }
    }

    init(_ kind: ConclaveWire.Disturbance.Kind) {
        self =
            switch kind {
            case .cut(let node): .cut(node)
            case .stall: .stall
            case .slowDisk(let pause): .slowDisk(by: Duration(pause))
            }
    }
}

/// Something that goes wrong by order, and for how long still.
public struct OrderedDisturbance: Hashable, Sendable {
    public let disturbance: Disturbance
    public let remaining: Duration

    package init(_ ordered: ConclaveWire.Disturbance) {
        disturbance = Disturbance(ordered.kind)
        remaining = .nanoseconds(ordered.duration.nanoseconds)
    }
}
