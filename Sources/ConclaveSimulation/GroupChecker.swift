package import ConclaveBase
package import ConclaveGroup
package import ConclaveReplication

/// What all replicas of a group together have said, against C1, C2 and C3.
///
/// Every step of a history is known by its version or, for a view, by its epoch, with a hash over
/// everything before it. So two histories are the same up to a step if they agree on that step.
package struct GroupChecker {
    private let durability: Durability
    package private(set) var lineage = Lineage.none
    /// Histories that were given up by hand.
    private var givenUp: Set<Lineage> = []
    private var commands: [Version: LogMachine.Entry] = [:]
    private var versionOfNumber: [UInt64: Version] = [:]
    private var views: [Epoch: InstalledView] = [:]
    /// The member list that came with each view.
    private var lists: [Epoch: MemberList] = [:]
    /// The states with which views begin.
    private var starts: [Epoch: LogMachine.Entry] = [:]
    /// The last version of each epoch that some replica gave out as delivered.
    private var delivered: [Epoch: Version] = [:]
    package private(set) var newestEpoch = Epoch.none
    /// The first epoch after which the state was lost, if it ever was.
    private var lostBefore = Epoch.none
    /// Of any version, and of those of histories that were given up.
    private var highestEra: UInt16 = 0
    private var givenUpEra: UInt16 = 0

    package init(durability: Durability) {
        self.durability = durability
    }

    package var viewCount: Int { views.count }

    package func view(of epoch: Epoch) -> InstalledView? { views[epoch] }

    package func list(of epoch: Epoch) -> MemberList? { lists[epoch] }

    package func isGivenUp(_ lineage: Lineage) -> Bool { givenUp.contains(lineage) }

    /// An operator had somebody go on in another history.
    package var hasGivenUp: Bool { !givenUp.isEmpty }

    /// By an operator's hand another history goes on from what one member had: what was given out
    /// in the one before, and is not in that, is lost (V27).
    package mutating func historyGivenUp(for lineage: Lineage) {
        let givenUp = givenUp.union([self.lineage])
        let era = highestEra
        self = GroupChecker(durability: durability)
        self.givenUp = givenUp
        self.lineage = lineage
        (highestEra, givenUpEra) = (era, era)
    }

    // MARK: - C1

    /// A replica told the list that came with a view: the one before it, or that with one change
    /// that was asked for. Only machines on it are members.
    package mutating func listed(
        _ list: MemberList, in epoch: Epoch, after change: MemberChange?
    ) throws(Violation) {
        if let known = lists.updateValue(list, forKey: epoch), known != list {
            throw Violation(
                .oneChainOfViews, "two lists with view \(epoch): \(known.nodes); \(list.nodes)")
        }
        if let before = lists[Epoch(epoch.number - 1)] {
            let expected = change?.applied(to: before) ?? before
            guard expected == list else {
                throw Violation(
                    .oneChainOfViews,
                    "view \(epoch) makes the list \(list.nodes) of \(before.nodes)")
            }
        }
        for member in views[epoch]?.view.members ?? [] where !list.contains(member.node) {
            throw Violation(
                .oneChainOfViews,
                "node \(member.node) is in view \(epoch), and not on its list \(list.nodes)")
        }
    }

    /// A replica entered a view. `isGone` tells of an incarnation whether its process has ended.
    package mutating func installed(
        _ view: InstalledView, lineage: Lineage, isGone: (Member) -> Bool
    ) throws(Violation) {
        let epoch = view.view.epoch
        if self.lineage == .none { self.lineage = lineage }
        guard lineage == self.lineage else {
            throw Violation(
                .oneChainOfViews, "view \(epoch) is of lineage \(lineage), not \(self.lineage)")
        }
        if let known = views[epoch] {
            guard known == view else {
                throw Violation(
                    .oneChainOfViews,
                    "two views \(epoch): \(Self.words(of: known)); \(Self.words(of: view))")
            }
            return
        }
        views[epoch] = view
        newestEpoch = max(newestEpoch, epoch)
        try checkOverlap(of: view)
        if view.stateWasLost { try checkLoss(in: view, isGone: isGone) }
    }

    /// A view comes from a majority of the one before, which need not be in it; but whoever is in
    /// it without having joined must have been in the one before.
    private func checkOverlap(of view: InstalledView) throws(Violation) {
        guard let before = views[Epoch(view.view.epoch.number - 1)] else { return }
        for member in view.view.members where !view.joined.contains(member.node) {
            guard before.view.contains(member) else {
                throw Violation(
                    .oneChainOfViews,
                    "node \(member.node) is in view \(view.view.epoch) without having joined")
            }
        }
    }

    /// The state may be empty again only if nobody had it any more (V26).
    private mutating func checkLoss(
        in view: InstalledView, isGone: (Member) -> Bool
    ) throws(Violation) {
        guard durability == .memory else {
            throw Violation(.nothingLost, "view \(view.view.epoch) begins empty, in durable mode")
        }
        lostBefore = max(lostBefore, view.view.epoch)
        guard let before = views[Epoch(view.view.epoch.number - 1)] else { return }
        for member in before.view.members where !isGone(member) {
            throw Violation(
                .nothingLost,
                "view \(view.view.epoch) begins empty though node \(member.node) still has state")
        }
    }

    // MARK: - C2 and C3

    /// A step of some replica's history; `epoch`: that in which the replica gave it out, `nil` if
    /// it only recovered or learned it.
    package mutating func record(
        _ entry: LogMachine.Entry, deliveredIn epoch: Epoch?
    ) throws(Violation) {
        highestEra = max(highestEra, entry.version.era)
        switch entry.kind {
        case .installed(let installed):
            try recordStart(of: installed, entry: entry)
        case .applied(let number):
            try recordCommand(entry, number: number)
            if let epoch { try recordDelivery(of: entry.version, in: epoch) }
        }
    }

    private mutating func recordCommand(
        _ entry: LogMachine.Entry, number: UInt64
    ) throws(Violation) {
        if let known = commands[entry.version] {
            guard known == entry else {
                throw Violation(
                    .totalOrder,
                    "two histories at version \(Self.words(of: entry.version)): "
                        + "\(known.kind) and \(entry.kind)")
            }
            return
        }
        commands[entry.version] = entry
        if let earlier = versionOfNumber.updateValue(entry.version, forKey: number) {
            throw Violation(
                .totalOrder,
                "proposal \(number) was delivered at \(Self.words(of: earlier)) and at "
                    + Self.words(of: entry.version))
        }
    }

    private mutating func recordStart(
        of epoch: Epoch, entry: LogMachine.Entry
    ) throws(Violation) {
        // A founder that is alone may lose the record of the first view before anything is done in it, and
        // begin again.
        let isAlone = views[epoch].map { $0.view.members.count == 1 } ?? true
        let isUntouched = epoch == Epoch(1) && commands.isEmpty && isAlone
        if let known = starts[epoch], !isUntouched {
            guard known == entry else {
                throw Violation(
                    .totalOrder,
                    "view \(epoch) begins at \(Self.words(of: known.version)) with state "
                        + "\(known.digest) and at \(Self.words(of: entry.version)) with "
                        + "\(entry.digest)")
            }
            return
        }
        starts[epoch] = entry
        if views[epoch]?.historyWasGivenUp == true, entry.version.era <= givenUpEra {
            throw Violation(
                .fencing,
                "another history begins with view \(epoch) in era \(entry.version.era), and versions "
                    + "of era \(givenUpEra) were given out before (V28)")
        }
        if views[epoch]?.stateWasLost == true { lostBefore = max(lostBefore, epoch) }
        // Within a run there are few views.
        for (earlier, version) in delivered where earlier < epoch && earlier >= lostBefore {
            try checkKept(version, of: earlier, inViewAt: entry.version, epoch: epoch)
        }
    }

    private mutating func recordDelivery(
        of version: Version, in epoch: Epoch
    ) throws(Violation) {
        guard version > delivered[epoch] ?? .zero else { return }
        delivered[epoch] = version
        guard let start = starts[epoch.next], views[epoch.next]?.stateWasLost != true else {
            return
        }
        try checkKept(version, of: epoch, inViewAt: start.version, epoch: epoch.next)
    }

    private func checkKept(
        _ version: Version, of epoch: Epoch, inViewAt start: Version, epoch later: Epoch
    ) throws(Violation) {
        guard version <= start else {
            throw Violation(
                .nothingLost,
                "\(Self.words(of: version)) was delivered in view \(epoch), but view \(later) "
                    + "begins at \(Self.words(of: start))")
        }
    }

    /// A replica was given a state as a whole, or recovered it.
    package mutating func replaced(by machine: LogMachine) throws(Violation) {
        for entry in machine.trail { try record(entry, deliveredIn: nil) }
    }

    private static func words(of version: Version) -> String {
        "\(version.era).\(version.counter)"
    }

    private static func words(of view: InstalledView) -> String {
        "\(view.view.members.map(\.node)) joined \(view.joined) "
            + "departed \(view.departed.map(\.member.node))"
    }
}
