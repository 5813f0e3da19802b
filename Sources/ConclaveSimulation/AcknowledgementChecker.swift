import ConclaveBase

/// What members acknowledged, against C3: whoever promised with it still has it after a restart, or
/// says that its journal is damaged (V30).
///
/// Only what came to be on the disk before the promise counts: the record of the promise says that
/// it is there, so no crash explains that it is not.
struct AcknowledgementChecker {
    private var promises: [(epoch: Epoch, vector: [UInt64])?]

    init(hostCount: Int) {
        promises = Array(repeating: nil, count: hostCount)
    }

    /// A promise, or an acceptance, of that host is synced.
    mutating func promised(by host: Int, in epoch: Epoch, acknowledged vector: [UInt64]) {
        promises[host] = (epoch, vector)
    }

    /// A daemon has read what is there; `vector` is nil if that is no state of its newest view.
    mutating func started(
        on host: Int, as node: NodeID, in epoch: Epoch, holding vector: [UInt64]?
    ) throws(Violation) {
        guard let promise = promises[host], promise.epoch == epoch else {
            promises[host] = nil
            return
        }
        let held = vector ?? promise.vector.map { _ in 0 }
        guard zip(held, promise.vector).allSatisfy({ $0 >= $1 }) else {
            throw Violation(
                .nothingLost,
                "node \(node) promised in view \(epoch) after it had acknowledged "
                    + "\(promise.vector), and holds \(held) after a restart without a word")
        }
    }
}
