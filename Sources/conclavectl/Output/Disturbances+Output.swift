import Conclave

extension Disturbance {
    /// What goes wrong.
    var words: String {
        switch self {
        case .cut(let node): "nothing goes to member \(node) or comes from it"
        case .stall: "the daemon stands still"
        case .slowDisk(let pause): "syncs take \(pause.text) longer"
        }
    }

    /// `duration`: for how long, or for how long still.
    func json(for duration: Duration) -> JSON {
        let milliseconds = JSON.integer(duration.milliseconds)
        return switch self {
        case .cut(let node):
            .object([
                "disturbance": .string("cut"), "member": node.json, "milliseconds": milliseconds,
            ])
        case .stall:
            .object(["disturbance": .string("stall"), "milliseconds": milliseconds])
        case .slowDisk(let pause):
            .object([
                "disturbance": .string("slowDisk"),
                "syncMilliseconds": .integer(pause.milliseconds),
                "milliseconds": milliseconds,
            ])
        }
    }
}
