import ConclaveBase
import ConclaveReactor
import ConclaveService
import ConclaveWire

/// One client's socket: bytes into frames, frames into bytes, within limits.
///
/// At most one call of `recv` a turn, so that a client that sends without end does not keep the
/// others waiting.
final class ClientConnection: ReactorHandler {
    static let receivedByteCount = 64 << 10
    /// How long the last words of a connection that is to be closed may take.
    static let closingPatience = Interval.seconds(1)

    let id: ConnectionID
    private let reactor: Reactor
    private unowned let clients: Clients
    private var stream: Stream?
    private var buffer = FrameBuffer()
    /// The service was told that bytes wait.
    private var isStalled = false
    /// Of `unsentByteCount`, as `clients` counts it.
    private var countedByteCount = 0
    /// Closed when everything was sent, or then.
    private(set) var closingDeadline: Instant?

    init(_ id: ConnectionID, _ socket: Descriptor, clients: Clients, reactor: Reactor)
        throws(SystemError)
    {
        self.id = id
        self.clients = clients
        self.reactor = reactor
        stream = try Stream(socket, reactor: reactor, handler: self)
    }

    var isOpen: Bool { stream != nil }

    var unsentByteCount: Int { stream?.unsentByteCount ?? 0 }

    func ready(_ readiness: Readiness) {
        do throws(SystemError) {
            if readiness.contains(.writable) {
                try stream?.becameWritable()
                noteUnsent()
            }
            let isOver = readiness.contains(.hangUp) || readiness.contains(.failed)
            guard let stream, stream.isReading else {
                // What it still had to say cannot be answered any more.
                if isOver { end() }
                return
            }
            if readiness.contains(.readable) || isOver { try receive(from: stream) }
        } catch {
            end()
        }
    }

    private func receive(from stream: Stream) throws(SystemError) {
        let space = unsafe UnsafeMutableRawBufferPointer(
            rebasing: reactor.scratch[..<Self.receivedByteCount])
        switch try unsafe stream.socket.receive(into: space) {
        case .nothing: break
        case .end: end()
        case .bytes(let count):
            unsafe buffer.append(UnsafeRawBufferPointer(rebasing: space[..<count]))
            try takeFrames()
        }
    }

    private func takeFrames() throws(SystemError) {
        do throws(WireError) {
            while let frame = try buffer.next() { clients.take(.frame(id, frame)) }
        } catch {
            // Where the next frame begins is not known any more.
            try stream?.setReading(false)
            clients.take(.malformed(id, error))
        }
    }

    // MARK: - What the service asks for

    /// Kept until `flush`.
    func append(_ bytes: [UInt8], passing page: Descriptor?) {
        guard let stream, closingDeadline == nil else { return }
        if let page {
            stream.append(bytes, passing: page)
        } else {
            stream.append(bytes)
        }
    }

    /// Sends what this turn collected; whoever lets more than `limit` bytes wait is cut.
    func flush(limit: Int) {
        do throws(SystemError) { try stream?.flush() } catch { return end() }
        guard unsentByteCount <= limit else {
            clients.note(
                .clientCut(connection: id.number, reason: "\(unsentByteCount) bytes were not read"))
            return end()
        }
        noteUnsent()
    }

    func setReading(_ isReading: Bool) {
        guard closingDeadline == nil || !isReading else { return }
        do throws(SystemError) { try stream?.setReading(isReading) } catch { end() }
    }

    /// Closes it once everything was sent, and tells nobody.
    func close(now: Instant) {
        guard isOpen, closingDeadline == nil else { return }
        closingDeadline = now.advanced(by: Self.closingPatience)
        setReading(false)
        if unsentByteCount == 0 { drop() }
    }

    /// Closes it now, and tells nobody.
    func drop() {
        stream?.close()
        stream = nil
        buffer = FrameBuffer()
        countUnsent()
    }

    // MARK: - Progress

    private func noteUnsent() {
        countUnsent()
        let unsent = unsentByteCount
        if closingDeadline != nil {
            if unsent == 0 { drop() }
        } else if unsent > 0 {
            isStalled = true
            clients.take(.stalled(id, byteCount: unsent))
        } else if isStalled {
            isStalled = false
            clients.take(.drained(id))
        }
    }

    private func countUnsent() {
        clients.unreadByteCount += unsentByteCount - countedByteCount
        countedByteCount = unsentByteCount
    }

    /// The other end is gone, or is given up.
    private func end() {
        guard isOpen else { return }
        let wasClosing = closingDeadline != nil
        drop()
        if !wasClosing { clients.take(.closed(id)) }
    }
}
