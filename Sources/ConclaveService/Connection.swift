import ConclaveBase
import ConclaveCoordination
import ConclaveWire
import DequeModule

/// What the service knows of one open connection.
struct Connection {
    let process: ProcessIdentity
    /// This daemon may signal the process.
    let canBeStopped: Bool
    var isGreeted = false
    /// Whoever has said no hello by then is shown out.
    let greetBy: Instant
    /// Its pidfd says that the process is dead; the socket may have been passed on.
    var processIsDead = false
    var session: SessionID?
    /// The nonce of the open or resume that it waits for.
    var opening: UInt64?
    /// Bytes that the client does not read; 0 unless the shell said that it is stalled.
    var backlog = 0
    /// Reading is paused.
    var isPaused = false
    /// What it is still to be told, in that order, and the bytes of that which are there.
    var held: Deque<HeldFrame> = []
    var heldByteCount = 0

    init(process: ProcessIdentity, canBeStopped: Bool, greetBy: Instant) {
        self.process = process
        self.canBeStopped = canBeStopped
        self.greetBy = greetBy
    }

    /// Nothing waits for it to read.
    var takesMore: Bool { backlog == 0 && held.isEmpty }

    var waitingByteCount: Int { backlog + heldByteCount }
}

/// An open or resume that the group has not answered yet.
struct Opening {
    let connection: ConnectionID
    let type: ClientFrameType
    let number: UInt64
    var command: Command
    /// Of a resume: what the process is to be stopped for.
    var guards = LossGuards()
    /// Its client named no ttl.
    var hasUsualTTL = false
    /// The connection is gone: it is not proposed again, but may still be applied.
    var isAbandoned = false
    var processIsDead = false
}
