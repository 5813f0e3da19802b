import ConclaveCoordination
import ConclaveReplication

/// What a daemon's group replicates.
extension Coordinator: StateMachine {}
