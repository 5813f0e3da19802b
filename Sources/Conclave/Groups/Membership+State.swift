import ConclaveBase
import ConclaveClientCore
import ConclaveWire
import Synchronization

/// A state that the programs of a task group have in common: everything that was said to the group has
/// made it what it is, so whoever joins later must be handed it.
///
///     let member = try await conclave.join("stock", sharingState: true)
///     var stock = Stock(try await member.adopt())
///     for try await update in member {
///         if let message = update.message { stock.apply(message) }
///         if let view = update.view { try await member.provide(at: view) { stock.bytes } }
///     }
///
/// The member of the lowest rank that has the state hands it to newcomers, as it is at a view, which
/// is one moment for all; if it goes before it is done, the next one does so. What comes after that
/// view the newcomer is told as everybody is. So all that have the state have the same one whenever they
/// have been told as much.
extension Membership {
    /// Takes over the group's state from a member that has it; then the elements of this membership
    /// begin where the state ends. It waits for as long as no member hands the state over: cancel the
    /// task to give up.
    ///
    /// - Returns: `nil`: nobody has a state, so this member begins one, from nothing.
    /// - Throws: `lost` if it is no member any more, or has fallen so far behind that a part of the
    ///   state is lost for it: leave, and join anew; `refused` if it did not join with `sharingState`.
    public func adopt() async throws -> [UInt8]? {
        guard sharesState else {
            throw ConclaveError(
                .refused, "the session joined group \(group) without sharing its state")
        }
        var adoption = StateAdoption(own: token)
        let follow = GroupFollow(try Conclave.name(group), withMessages: true, member: token)
        let reports = conclave.session.stream(
            .followGroup(follow), isEndless: true, deadline: nil)
        for try await report in reports {
            guard case .groupUpdates(let updates) = report else { continue }
            for update in updates {
                guard adoption.take(update) else {
                    throw ConclaveError(.lost, "the state of group \(group) cannot be had any more")
                }
                if let adopted = adoption.adopted {
                    start.withLock { $0 = adopted.upTo }
                    return adopted.state
                }
                while let request = adoption.takeRequest(), try await !ask(request) {
                    adoption.refused()
                }
            }
        }
        try Task.checkCancellation()
        throw ConclaveError(.lost, "no longer a member of group \(group)")
    }

    /// - Returns: False if another member has begun a state meanwhile.
    private func ask(_ request: StateAdoption.Request) async throws -> Bool {
        let adopt = Operation.adoptState(
            name: try Conclave.name(group), member: token, upTo: request.upTo)
        let answer = await conclave.session.answer(to: adopt, deadline: nil)
        if case .reply(.done) = answer { return true }
        let error = ConclaveError.unexpected(answer)
        guard (error as? ConclaveError)?.code == .refused else { throw error }
        return false
    }

    /// Hands the group's state to the members of `view` that want it, if it is up to this member to do
    /// so: to be called at each view that the elements of this membership tell, when `state` is what
    /// everything before that view has made it.
    ///
    /// - Parameters:
    ///   - view: As it was told last.
    ///   - state: Called only if somebody is to be handed it; at most 1 MiB. What has more hands over
    ///     where it is to be had.
    /// - Throws: `invalid` if the state is too large; `quotaExceeded`, `lost` and so on.
    public func provide(
        at view: GroupView, isolation: isolated (any Actor)? = #isolation,
        _ state: () throws -> [UInt8]
    ) async throws {
        let members = view.members.map { ($0.token, $0.possession) }
        let newcomers = provision.withLock { $0.due(among: members) }
        guard !newcomers.isEmpty else { return }
        let bytes = try state()
        guard bytes.count <= ClientLimits.groupState else {
            throw ConclaveError(
                .invalid,
                "the state has \(bytes.count) bytes, at most \(ClientLimits.groupState) are possible"
            )
        }
        for newcomer in newcomers {
            try await hand(bytes, upTo: view.version, to: newcomer)
            provision.withLock { $0.note(provided: newcomer) }
        }
    }

    private func hand(
        _ state: [UInt8], upTo version: Version, to newcomer: FencingToken
    ) async throws {
        let name = try Conclave.name(group)
        let parts = ProvidedState.parts(of: state, from: token, to: newcomer, upTo: version)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            for part in parts {
                tasks.addTask { [session = conclave.session] in
                    let answer = await session.answer(
                        to: .provideState(name: name, part), deadline: nil)
                    if case .reply(.done) = answer { return }
                    let error = ConclaveError.unexpected(answer)
                    // The newcomer is gone.
                    guard (error as? ConclaveError)?.code == .refused else { throw error }
                }
            }
            try await tasks.waitForAll()
        }
    }
}
