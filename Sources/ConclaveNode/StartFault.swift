package import ConclaveReplication

/// Why a daemon does not start, or ends: one sentence that names the thing, and an exit status.
package struct StartFault: Error, Equatable, Sendable, CustomStringConvertible {
    /// The numbers of sysexits.h where they fit.
    package enum Status: Int32, Sendable {
        case usage = 64
        case broken = 70
        /// The data directory is locked, or of another group, node or format.
        case data = 73
        case disk = 74
        case configuration = 78
        case addressInUse = 98
    }

    package var status: Status
    package var description: String

    package init(_ status: Status, _ description: String) {
        self.status = status
        self.description = description
    }

    package init(_ fault: FatalFault) {
        switch fault {
        case .disk(let error): self.init(.disk, "the disk failed: \(error)")
        case .foreignData(let what): self.init(.data, "the data is not this daemon's: \(what)")
        case .broken(let what): self.init(.broken, "an invariant is broken: \(what)")
        }
    }
}
