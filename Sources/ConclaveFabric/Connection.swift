import ConclaveBase
import ConclaveReactor
import ConclaveWire

/// One TCP connection to a member, or to somebody who may be one. What it means is decided by the
/// fabric; this turns frames into bytes and knows how far it has come.
final class Connection: ReactorHandler {
    enum Phase: Equatable {
        /// Dialled, and not yet connected.
        case connecting
        /// The hello of the other end is missing.
        case greeting
        case open
        /// The last words are said; waits for the other end to have read them.
        case closing
        case closed
    }

    /// Parts of a row write that have arrived so far.
    struct PartialRow {
        var epoch: Epoch
        var offset: Int
        var bytes: [UInt8]
    }

    let address: SocketAddress
    /// Who is meant, if this end dialled.
    let dialled: NodeID?
    let frames = FrameAssembler(maximumBodyByteCount: Hello.maximumByteCount)
    /// When the present phase has taken too long.
    var deadline: Instant
    private(set) var phase: Phase
    /// Of the other end, once its hello was accepted.
    private(set) var member: Member?
    /// What the other end says it belongs to.
    var lineage = Lineage.none
    /// What this end said last.
    var saidLineage = Lineage.none
    private(set) var partialRow: PartialRow?
    /// Sending failed: nothing more is sent, and what is left to read decides how it ends.
    private(set) var sendFailure: SystemError?

    private var stream: Stream?
    private unowned let fabric: TCPFabric

    init(
        _ socket: Descriptor, address: SocketAddress, dialled: NodeID?, deadline: Instant,
        fabric: TCPFabric
    ) throws(SystemError) {
        self.address = address
        self.dialled = dialled
        self.deadline = deadline
        self.fabric = fabric
        phase = dialled == nil ? .greeting : .connecting
        stream = try Stream(
            socket, reactor: fabric.reactor, interest: dialled == nil ? .readable : .writable,
            handler: self)
    }

    var node: NodeID? { member?.node ?? dialled }
    var unsentByteCount: Int { stream?.unsentByteCount ?? 0 }

    func ready(_ readiness: Readiness) {
        guard let socket = stream?.socket else { return }
        if phase == .connecting {
            fabric.didConnect(self, failure: TCPSocket.failure(of: socket))
            return
        }
        // Reading comes first: the other end's last words may wait before the error.
        if !readiness.isDisjoint(with: [.readable, .peerClosed, .hangUp, .failed]) {
            receive(from: socket)
        }
        if readiness.contains(.writable) {
            attempt { stream throws(SystemError) in try stream.becameWritable() }
        }
    }

    /// The dial has succeeded: from here on the other end can be heard.
    func beginGreeting(deadline: Instant) {
        phase = .greeting
        self.deadline = deadline
        attempt { stream throws(SystemError) in
            try stream.setReading(true)
            try stream.becameWritable()
        }
    }

    func open(_ member: Member) {
        self.member = member
        phase = .open
        deadline = .distantFuture
        frames.maximumBodyByteCount = MemberFrame.maximumBodyByteCount
        guard let socket = stream?.socket else { return }
        // Without it a path to a host that lost its power stays open while nobody sends. A kernel
        // that refuses only makes that take longer.
        try? TCPSocket.keepAlive(socket, idleSeconds: 5, probes: 5)
        try? TCPSocket.limitUnheard(socket, fabric.settings.unheardLimit)
    }

    /// Says why, and waits a while for the other end to read it. False: there is no way to say it.
    func beginClosing(_ reason: String, number: UInt64 = 0, deadline: Instant) -> Bool {
        guard phase != .connecting, sendFailure == nil, let stream else { return false }
        var body = ByteWriter()
        body.text(String(decoding: reason.utf8.prefix(400), as: UTF8.self))
        append(FrameHeader.frame(type: MemberFrame.refusal, number: number, body: body.bytes))
        flush()
        guard unsentByteCount == 0, sendFailure == nil else { return false }
        TCPSocket.shutDownSending(stream.socket)
        phase = .closing
        self.deadline = deadline
        partialRow = nil
        return true
    }

    /// Neither reads nor sends while it is held.
    func hold(_ isHeld: Bool) {
        attempt { stream throws(SystemError) in try stream.hold(isHeld) }
    }

    func close() {
        phase = .closed
        stream?.close()
        stream = nil
        partialRow = nil
    }

    // MARK: - Sending

    func append(_ bytes: [UInt8]) {
        guard sendFailure == nil else { return }
        stream?.append(bytes)
    }

    func append(_ bytes: UnsafeRawBufferPointer) {
        guard sendFailure == nil else { return }
        unsafe stream?.append(bytes)
    }

    func append(integer value: UInt32) {
        guard sendFailure == nil else { return }
        stream?.append(integer: value)
    }

    func append(_ header: FrameHeader) {
        unsafe withUnsafeTemporaryAllocation(byteCount: FrameHeader.byteCount, alignment: 8) {
            unsafe header.encode(into: $0)
            unsafe append(UnsafeRawBufferPointer($0))
        }
    }

    func flush() {
        attempt { stream throws(SystemError) in try stream.flush() }
    }

    private func attempt(_ action: (Stream) throws(SystemError) -> Void) {
        guard sendFailure == nil, let stream else { return }
        do {
            try action(stream)
        } catch {
            // The reading side still gets what arrived before, and then the end.
            sendFailure = error
            TCPSocket.shutDown(stream.socket)
        }
    }

    // MARK: - Receiving

    private func receive(from socket: Descriptor) {
        do {
            let scratch = unsafe fabric.reactor.scratch
            switch try unsafe socket.receive(into: scratch) {
            case .bytes(let count):
                unsafe take(UnsafeRawBufferPointer(rebasing: scratch[..<count]))
            case .nothing: break
            case .end: fabric.didEnd(self, failure: sendFailure)
            }
        } catch {
            fabric.didEnd(self, failure: error)
        }
    }

    /// Handles everything that waits, without the reactor, up to a bound. False: the other end is
    /// gone.
    @discardableResult
    func drain() -> Bool {
        let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 * 1024, alignment: 16)
        defer { unsafe room.deallocate() }
        for _ in 0..<256 {
            guard phase == .open, let socket = stream?.socket else { return false }
            switch try? unsafe socket.receive(into: room) {
            case .bytes(let count)?: unsafe take(UnsafeRawBufferPointer(rebasing: room[..<count]))
            case .nothing?: return true
            case .end?, nil: return false
            }
        }
        return phase == .open
    }

    /// Puts a part of a row write behind those that came before.
    func append(_ part: PartialRow, maximumByteCount: Int) throws(FabricFault) {
        let present = partialRow.map { $0.bytes.count } ?? 0
        let start = partialRow?.offset ?? part.offset
        guard (partialRow?.epoch ?? part.epoch) == part.epoch, start + present == part.offset
        else { throw .rowOutOfOrder(offset: part.offset) }
        guard present + part.bytes.count <= maximumByteCount else {
            throw .rowTooLong(byteCount: present + part.bytes.count)
        }
        if partialRow == nil {
            partialRow = part
        } else {
            partialRow?.bytes.append(contentsOf: part.bytes)
        }
    }

    /// The row write whose last part has come.
    func takeRow() -> PartialRow? {
        defer { partialRow = nil }
        return partialRow
    }

    private func take(_ bytes: UnsafeRawBufferPointer) {
        var input = unsafe bytes
        do {
            // A frame may make the fabric close this connection.
            while phase == .greeting || phase == .open,
                let frame = unsafe try frames.next(from: &input)
            {
                unsafe fabric.didReceive(frame.header, body: frame.body, on: self)
            }
        } catch {
            fabric.didFail(self, .frame(error))
        }
    }
}
