import ConclaveCoordination
import ConclaveReplication

/// What a daemon's group replicates.
extension Coordinator: StateMachine {}

extension FrozenCoordinator: FrozenState {}

extension CoordinatorBuilder: StateBuilder {}
