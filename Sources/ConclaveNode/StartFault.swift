import ConclaveBase
import ConclaveReactor
package import ConclaveReplication

/// Why a daemon does not start, or ends: one sentence that names the thing, and an exit status.
package struct StartFault: Error, Equatable, Sendable, CustomStringConvertible {
    /// The numbers of sysexits.h where they fit.
    package enum Status: Int32, Sendable {
        case usage = 64
        case broken = 70
        /// The data directory is locked, or of another node or format.
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
        case .disk(.notFound(let file)): self.init(.disk, "the disk failed: \(file) is missing")
        case .disk(.full(let file)): self.init(.disk, "the disk is full: \(file)")
        case .disk(.failed(let file, let number)):
            let meaning = SystemError(call: "", number: number).meaning
            self.init(.disk, "the disk failed: \(file): \(meaning)")
        case .damaged(let what): self.init(.disk, "the journal is damaged: \(what)")
        case .foreignData(let what): self.init(.data, "the data is not this daemon's: \(what)")
        case .broken(let what): self.init(.broken, "an invariant is broken: \(what)")
        }
    }
}
