package import ConclaveBase
package import ConclaveGroup

/// What a start finds on a disk of that to which its member has pledged itself.
///
/// For the simulator, which asks for it also while the daemon runs.
package struct Remembered: Equatable, Sendable {
    package var lineage: Lineage
    /// Of the newest view.
    package var epoch: Epoch
    package var promised: Ballot
    package var accepted: Ballot
    /// For each sender of that epoch, how many messages are there; nil: no state of that view.
    package var vector: [UInt64]?
    /// The journal is set aside.
    package var isLost: Bool
}

extension Replica {
    /// What a daemon of those settings would find if it started on `disk`, which is only read.
    /// `known` is what earlier calls have read there. Throws if it would set its journal aside.
    package static func remembered(
        on disk: any Disk, settings: ReplicaSettings, blank: Machine, known: KnownBatches
    ) throws(FatalFault) -> Remembered {
        let recovery = try Recovery<Machine>(
            settings: settings, blank: blank, disk: disk, known: known)
        return Remembered(
            recovery.viewJournal.memory, vector: recovery.hasState ? recovery.held.vector : nil)
    }

    /// What this one has found, as long as it has not entered a view.
    package var remembered: Remembered {
        Remembered(membership.memory, vector: heldVector)
    }
}

extension Remembered {
    fileprivate init(_ memory: ViewMemory, vector: [UInt64]?) {
        self.init(
            lineage: memory.lineage, epoch: memory.epoch, promised: memory.promised,
            accepted: memory.accepted?.ballot ?? .none, vector: vector,
            isLost: memory.loss != nil && memory.current == nil)
    }
}
