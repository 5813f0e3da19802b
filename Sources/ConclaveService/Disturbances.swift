import ConclaveBase
import ConclaveWire

/// What goes wrong here by order, so that whoever looks for a fault is told.
struct Disturbances {
    private var all: [(disturbance: Disturbance, until: Instant)] = []

    /// It begins, in place of another one of that kind; `nil`: all end.
    mutating func note(_ disturbance: Disturbance?, now: Instant) {
        guard let disturbance else { return all = [] }
        all.removeAll { $0.until <= now || $0.disturbance.isReplaced(by: disturbance) }
        all.append((disturbance, now.advanced(by: disturbance.duration)))
    }

    /// Each with what is left of its duration.
    func present(at now: Instant) -> [Disturbance] {
        all.filter { $0.until > now }.map {
            Disturbance($0.disturbance.kind, for: $0.until.since(now))
        }
    }
}

extension Disturbance {
    fileprivate func isReplaced(by other: Disturbance) -> Bool {
        if case .slowDisk = kind, case .slowDisk = other.kind { true } else { kind == other.kind }
    }
}
