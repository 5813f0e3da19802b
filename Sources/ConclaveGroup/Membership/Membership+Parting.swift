package import ConclaveBase

/// A removed member takes part in the decision on the view without it, and may be the only one that
/// knows of it: the others can be too few to find it out by themselves. So it tells them until a
/// majority of those who go on have recorded the view; only then is it not needed any more.
extension Membership {
    package struct Farewell {
        /// The view without this machine.
        var view: NextView
        /// Who is known to have recorded it.
        var knowing: Set<NodeID> = []
        var nextSend = Instant.distantPast

        init?(of node: NodeID, in view: NextView) {
            guard let change = view.change, change.isRemoval, change.node == node else {
                return nil
            }
            self.view = view
        }

        /// The members that still have to be told; none: this machine may go.
        package var unaware: [NodeID] {
            view.members.map(\.node).filter { !knowing.contains($0) }
        }
    }

    func tickFarewell(now: Instant, effects: inout [Effect]) {
        guard let farewell, now >= farewell.nextSend else { return }
        self.farewell?.nextSend = now.advanced(by: settings.suspicion / 2)
        for node in farewell.unaware where paths[node] != nil {
            effects.append(.send(.install(farewell.view), to: node))
        }
    }

    /// Somebody is in a view, or knows of it.
    func isKnown(_ value: NextView, to node: NodeID) {
        guard var farewell, value.lineage == farewell.view.lineage,
            value.epoch >= farewell.view.epoch
        else { return }
        farewell.knowing.insert(node)
        let view = farewell.view
        // A later view was agreed on by a majority of this one.
        let isAgreed = value.epoch > view.epoch
        let needed = settings.plant == .farewellToOne ? 1 : view.view.quorum
        let isKnown = view.members.count - farewell.unaware.count >= needed
        self.farewell = isAgreed || isKnown ? nil : farewell
    }

    /// Who was removed and tells of a view that is recorded here hears so.
    func tellBack(_ value: NextView, to node: NodeID, effects: inout [Effect]) {
        guard let current = memory.current, value.lineage == current.lineage,
            value.epoch <= current.epoch, !value.list.contains(node)
        else { return }
        effects.append(.send(.install(current), to: node))
    }
}
