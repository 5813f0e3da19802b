import ConclaveBase
import ConclaveCoordination
import ConclaveWire

/// Observers of leader slots: first who leads, then each change.
extension Service {
    /// What looking takes, told or not, as if it were bytes.
    private static let byteCountOfLook = 256

    mutating func beginObserving(_ slot: ObjectName, _ id: LeaderObservers.ID) {
        leaderObservers.add(
            id, ObservedSlot(name: slot), at: .zero, uid: uid(of: id.connection))
    }

    /// Tells observers who leads now, as far as their connections take it and `left` bytes go.
    mutating func tellLeaderObservers(
        _ left: inout Int, machine: Coordinator, effects: inout [ServiceEffect]
    ) {
        var count = leaderObservers.line.count
        while left > 0, let (id, observer) = leaderObservers.nextToTell(connections, of: &count) {
            left -= tell(observer, id, machine: machine, effects: &effects)
        }
    }

    /// Returns what it costs, in bytes. The machine may be further than its effects: the state at one
    /// version is told once. An equal state at a newer version is told, since an observer may come from a
    /// daemon that had told it of something in between.
    private mutating func tell(
        _ observer: LeaderObservers.Table.Follower, _ id: LeaderObservers.ID, machine: Coordinator,
        effects: inout [ServiceEffect]
    ) -> Int {
        let state = machine.leaderState(observer.subject.name)
        leaderObservers.moved(id, to: state.version, isBehind: false)
        guard !observer.isAnswered || state.version != observer.place else {
            return Self.byteCountOfLook
        }
        var writer = ByteWriter()
        state.encode(into: &writer)
        if observer.isAnswered {
            send(.observeLeader, .event, number: id.number, to: id.connection, effects: &effects) {
                $0.raw(writer.bytes)
            }
        } else {
            answer(
                .observeLeader, number: id.number, to: id.connection, writer.bytes,
                effects: &effects)
        }
        return max(writer.bytes.count, Self.byteCountOfLook)
    }
}
