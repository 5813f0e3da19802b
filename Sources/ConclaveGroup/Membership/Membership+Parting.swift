package import ConclaveBase

/// A removed member takes part in the decision on the view without it, and may be the only one that
/// knows of it: the others can be too few to find it out by themselves. So it tells them until a
/// majority of those who go on have recorded the view; only then is it not needed any more.
extension Membership {
    struct Farewell {
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
    }

    /// The members that this removed machine still has to tell of the view without it; none: it may
    /// go.
    package var unaware: [NodeID] {
        guard let farewell else { return [] }
        return farewell.view.members.map(\.node).filter { !farewell.knowing.contains($0) }
    }

    mutating func tickFarewell(now: Instant, effects: inout [Effect]) {
        guard let next = farewell?.nextSend, now >= next, let view = farewell?.view else { return }
        farewell?.nextSend = now.advanced(by: settings.suspicion / 2)
        for node in unaware where paths[node] != nil {
            effects.append(.send(.install(view), to: node))
        }
    }

    /// Somebody is in a view, or knows of it.
    mutating func isKnown(_ value: NextView, to node: NodeID) {
        guard let view = farewell?.view, value.lineage == view.lineage, value.epoch >= view.epoch
        else { return }
        farewell?.knowing.insert(node)
        // A later view was agreed on by a majority of this one.
        let isAgreed = value.epoch > view.epoch
        if isAgreed || view.members.count - unaware.count >= view.view.quorum { farewell = nil }
    }

    /// Who was removed and tells of a view that is recorded here hears so.
    mutating func tellBack(_ value: NextView, to node: NodeID, effects: inout [Effect]) {
        guard let current = memory.current, value.lineage == current.lineage,
            value.epoch <= current.epoch, !value.list.contains(node)
        else { return }
        effects.append(.send(.install(current), to: node))
    }
}
