import ConclaveBase
import ConclaveGroup
import ConclaveReplication

/// What members have pledged themselves to, against C1 and C3: whatever a member has told another one
/// of its promises and of what it holds, its disk has, whenever the power goes; and it has it still
/// after every restart, or says that its journal is damaged (V30).
struct PledgeChecker {
    /// What one host owes the others, of the newest epoch that it spoke of.
    private struct Pledges {
        var lineage: Lineage
        var epoch: Epoch
        /// How often its disk had been replaced.
        var eraseCount: Int
        var promised = Ballot.none
        var accepted = Ballot.none
        /// What it holds, by sender, as it said; nil: it did not say.
        var held: [UInt64]?
        /// What it had acknowledged when a record of a promise was synced. The record says that this
        /// is there, so that no crash explains that it is not, not even to a reader of a damaged
        /// journal.
        var marked: [UInt64]?
    }

    private let durability: Durability
    private var pledges: [Pledges?]

    init(hostCount: Int, durability: Durability) {
        self.durability = durability
        pledges = Array(repeating: nil, count: hostCount)
    }

    /// A member has said so in a frame.
    mutating func note(
        _ pledge: Pledge, of host: Int, in lineage: Lineage, eraseCount: Int, holding: [UInt64]?
    ) {
        switch pledge {
        case .promised(let epoch, let ballot, let held):
            begin(epoch, of: host, in: lineage, eraseCount: eraseCount)
            raise(host, promised: ballot, held: held)
        case .prepared(let epoch, let ballot):
            begin(epoch, of: host, in: lineage, eraseCount: eraseCount)
            raise(host, promised: ballot)
        case .accepted(let epoch, let ballot):
            begin(epoch, of: host, in: lineage, eraseCount: eraseCount)
            raise(host, promised: ballot, accepted: ballot)
        case .level(let epoch, let ballot):
            begin(epoch, of: host, in: lineage, eraseCount: eraseCount)
            raise(host, promised: ballot, held: holding)
        case .joinerLevel(let epoch, let trim):
            begin(epoch, of: host, in: lineage, eraseCount: eraseCount)
            raise(host, held: trim)
        case .founded: break
        }
    }

    /// A record of a promise, or of a view with this member in it, is synced.
    mutating func recorded(
        _ epoch: Epoch, of host: Int, in lineage: Lineage, eraseCount: Int,
        acknowledged vector: [UInt64]
    ) {
        begin(epoch, of: host, in: lineage, eraseCount: eraseCount)
        guard pledges[host]?.epoch == epoch else { return }
        pledges[host]?.marked = vector
        raise(host, held: vector)
    }

    /// All of it is synced.
    mutating func acknowledged(
        _ vector: [UInt64], in epoch: Epoch, of lineage: Lineage, by host: Int, eraseCount: Int
    ) {
        begin(epoch, of: host, in: lineage, eraseCount: eraseCount)
        guard pledges[host]?.epoch == epoch else { return }
        raise(host, held: vector)
    }

    private mutating func begin(
        _ epoch: Epoch, of host: Int, in lineage: Lineage, eraseCount: Int
    ) {
        if let known = pledges[host], known.lineage == lineage, known.epoch >= epoch,
            known.eraseCount == eraseCount
        {
            return
        }
        pledges[host] = Pledges(lineage: lineage, epoch: epoch, eraseCount: eraseCount)
    }

    private mutating func raise(
        _ host: Int, promised: Ballot = .none, accepted: Ballot = .none, held: [UInt64]? = nil
    ) {
        guard var known = pledges[host] else { return }
        known.promised = max(known.promised, promised)
        known.accepted = max(known.accepted, accepted)
        if let held {
            let before = known.held ?? held.map { _ in 0 }
            known.held = zip(before, held).map { max($0, $1) }
        }
        pledges[host] = known
    }

    /// It has begun anew: it has lost what it had, and owes nothing any more.
    mutating func forget(_ host: Int) { pledges[host] = nil }

    /// What is there of all that this host owes. `mayMissEnd`: its journal was changed behind its back
    /// where no record speaks of it, so that this may be gone without a word.
    func check(
        _ found: Remembered, on host: Int, eraseCount: Int, mayMissEnd: Bool, when: String
    ) throws(Violation) {
        guard let owed = pledges[host], owed.eraseCount == eraseCount, !found.isLost,
            found.lineage == owed.lineage, found.epoch <= owed.epoch
        else { return }
        guard found.epoch == owed.epoch else {
            throw Violation(
                .oneChainOfViews,
                "it has spoken in view \(owed.epoch), and knows only of \(found.epoch) \(when)")
        }
        guard found.promised >= owed.promised, found.accepted >= owed.accepted else {
            throw Violation(
                .oneChainOfViews,
                "it has promised \(owed.promised) and accepted \(owed.accepted) in view "
                    + "\(owed.epoch), and knows of \(found.promised) and \(found.accepted) \(when)")
        }
        guard durability == .disk, let vector = mayMissEnd ? owed.marked : owed.held else { return }
        try check(found, holds: vector, when: when)
    }

    /// So much of each sender is there.
    func check(_ found: Remembered, holds vector: [UInt64], when: String) throws(Violation) {
        let held = found.vector ?? []
        let holdsAll = vector.indices.allSatisfy { sender in
            (held.indices.contains(sender) ? held[sender] : 0) >= vector[sender]
        }
        guard holdsAll, found.vector != nil else {
            let words = found.vector.map { "holds \($0)" } ?? "has no state"
            throw Violation(
                .nothingLost,
                "it has said in view \(found.epoch) that it holds \(vector), and \(words) \(when)")
        }
    }
}
