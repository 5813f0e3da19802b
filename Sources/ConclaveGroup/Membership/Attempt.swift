import ConclaveBase

/// One ballot of this coordinator: what was promised, what is proposed, who has accepted.
final class Attempt {
    enum Phase: Equatable {
        /// The own promise is being synced.
        case recording(token: UInt64)
        case preparing
        /// Members and joiners are being brought level with the trim.
        case levelling
        case accepting(token: UInt64)
    }

    /// What one member gives to another one.
    struct Fill {
        var holder: NodeID
        var to: NodeID
        var ranges: [FillRange]
    }

    let ballot: Ballot
    var phase: Phase
    var promises: [NodeID: Promise] = [:]
    /// When promises were asked for first.
    var preparedAt: Instant?
    var quorumAt: Instant?
    var value: NextView?
    /// Learners that `value` lets in; who of them is not level by then is left out of it.
    var joining: [Member] = []
    var joinersUntil = Instant.distantFuture
    /// Who is not level yet, and who has become so.
    var lacking: [NodeID] = []
    var risen: [NodeID] = []
    var fills: [Fill] = []
    var accepted: [NodeID] = []
    var deadline = Instant.distantFuture
    var nextSend = Instant.distantPast
    var reportedWait = false
    /// Too few of those who promised hear each other. That may change: they are asked again.
    var isTooSmall = false

    init(ballot: Ballot, phase: Phase) {
        self.ballot = ballot
        self.phase = phase
    }

    /// Returns whether it is one that was asked for and is waited for.
    func take(_ promise: Promise) -> Bool {
        guard promise.ballot == ballot, phase == .preparing else { return false }
        promises[promise.from.node] = promise
        return true
    }

    func levelled(_ node: NodeID) {
        guard phase == .levelling else { return }
        guard lacking.contains(node) else { return }
        lacking.removeAll { $0 == node }
        risen.append(node)
    }

    func acceptedBy(_ node: NodeID) {
        guard case .accepting = phase, !accepted.contains(node) else { return }
        accepted.append(node)
    }

    /// A record is synced; if it was the own promise, a majority's are waited for until
    /// `promisesUntil`.
    func recorded(_ token: UInt64, by own: NodeID, promisesUntil: Instant) {
        switch phase {
        case .recording(token):
            phase = .preparing
            deadline = promisesUntil
        case .accepting(token): acceptedBy(own)
        default: break
        }
    }

    /// Somebody came back: what was sent to it may be lost.
    func resend(to node: NodeID) {
        nextSend = .distantPast
    }
}
