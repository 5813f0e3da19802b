package import ConclaveBase

/// Changes of the member list. The wish goes to all members of the view and ends its epoch; every
/// promise carries it, so that whoever coordinates knows of it; the next view has the new list, and
/// was agreed by a majority of the view before like any other.
extension Membership {
    /// The list that is in force: the founding's until there is a view.
    package var list: MemberList { memory.current?.list ?? foundingList }

    var foundingList: MemberList {
        MemberList(
            configured.map {
                MemberList.Entry(node: $0, address: settings.addresses[$0] ?? [])
            }, givenMinimum: settings.minimumMembers)
    }

    /// This member was asked to have the list changed.
    func want(_ change: MemberChange, now: Instant, effects: inout [Effect]) {
        guard seat == .member, !isEnding, installing == nil, let current = memory.current else {
            return
        }
        wanted = change
        for node in others { effects.append(.send(.change(current.epoch, change), to: node)) }
        end(now: now, effects: &effects)
    }

    func isWanted(
        _ change: MemberChange, by node: NodeID, now: Instant, effects: inout [Effect]
    ) {
        guard seat == .member else { return }
        effects.append(.event(.changeWanted(change, through: node)))
        if wanted == nil { wanted = change }
        end(now: now, effects: &effects)
    }

    /// The change that the next view makes, as this member or the promises say: of several the one
    /// that the lowest rank knows, and none that those who stay would be too few for.
    func change(
        after current: NextView, promises: [Promise], staying: [Promise]
    ) -> MemberChange? {
        guard let change = wanted ?? promises.compactMap(\.wanted).first,
            !change.isDone(in: current.list)
        else { return nil }
        let present = staying.map(\.from.node)
        return change.refusal(by: current.list, present: present) == nil ? change : nil
    }
}
