import ConclaveBase
import ConclaveWire

/// The state that the programs of a task group have in common: who has it is known here, what it is to
/// them alone. See "StatesOfGroups".
extension Coordinator {
    /// Kept out of `dispatch`, which is on the way of every request.
    @inline(never)
    mutating func provideState(
        _ name: ObjectName, _ state: ProvidedState, _ request: RequestReference,
        effects: inout [CoordinationEffect]
    ) {
        guard
            let (index, provider) = membership(
                state.from, in: name, of: request, effects: &effects)
        else { return }
        if let message = faultMessage(of: state, by: provider, in: index) {
            return refuse(request, .refused, message, effects: &effects)
        }
        let size = TaskGroup.Record.byteCount(ofPayload: state.payload)
        guard groups.makeRoom(for: size, uid: provider.uid, in: index, quotas: quotas) else {
            return refuse(
                request, .quotaExceeded, groupQuotaMessage(provider.uid), effects: &effects)
        }
        groups.provide(state, in: index, uid: provider.uid, at: now)
        answer(request, .done, effects: &effects)
        changed(index, uid: provider.uid, effects: &effects)
    }

    private func faultMessage(
        of state: ProvidedState, by provider: GroupMember, in index: Int
    ) -> String? {
        let name = groups[index].name
        guard provider.possession == .held else {
            return "member \(state.from) of group \(name) has no state to provide"
        }
        guard groups[index].member(state.to)?.possession == .wanted else {
            return "group \(name) has no member \(state.to) that wants its state"
        }
        guard (state.to.number...version.number).contains(state.upTo.number) else {
            return "a state up to \(state.upTo.number) is none of a view with member \(state.to)"
        }
        return nil
    }

    /// Kept out of `dispatch`, which is on the way of every request.
    @inline(never)
    mutating func adoptState(
        _ name: ObjectName, _ token: FencingToken, upTo: Version?, _ request: RequestReference,
        effects: inout [CoordinationEffect]
    ) {
        guard let (index, member) = membership(token, in: name, of: request, effects: &effects)
        else { return }
        guard member.possession != .held else {
            return answer(request, .done, effects: &effects)
        }
        if let message = faultMessage(ofAdoptionBy: member, upTo: upTo, in: index) {
            return refuse(request, .refused, message, effects: &effects)
        }
        groups.adopt(token, isFounding: upTo == nil, in: index, at: now)
        answer(request, .done, effects: &effects)
        changed(index, uid: member.uid, effects: &effects)
    }

    private func faultMessage(
        ofAdoptionBy member: GroupMember, upTo: Version?, in index: Int
    ) -> String? {
        let name = groups[index].name
        guard member.possession == .wanted else {
            return
                "member \(member.token) of group \(name) did not ask for its state when it joined"
        }
        guard let upTo else {
            guard plant != .foundsBesideHolder,
                let holder = groups[index].members.first(where: { $0.possession == .held })
            else { return nil }
            return "member \(holder.token) of group \(name) has the state"
        }
        // What a member that is gone has handed over is no more, if somebody began anew since.
        guard plant != .staleStateAdopted else { return nil }
        guard (groups[index].founded.number...version.number).contains(upTo.number) else {
            return "group \(name) has a state that began after version \(upTo.number)"
        }
        return nil
    }
}
