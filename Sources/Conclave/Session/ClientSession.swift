import ConclaveBase
import ConclaveClientCore
import ConclaveWire
import Synchronization

/// One session with the local daemon: `ClientCore` behind a lock, and the socket, the validity page
/// and the waiting tasks that belong to it.
///
/// Whoever brings the core something (a caller, a cancelled task, the reader's thread) steps it
/// under the lock, carries out what it says, and then, with the lock released, writes to the socket
/// and wakes those who were answered. While one thread writes, or wakes, others only add to what it will
/// do next: so requests made at the same time go out together, and everybody is told in order.
final class ClientSession: Sendable {
    let number: UInt64
    let path: String
    let page = ValidityPage()
    let reader: Reader
    private let state: Mutex<State>
    private let tickAt = Atomic<UInt64>(UInt64.max)

    init(path: String, core: sending ClientCore, reader: Reader) {
        self.path = path
        self.reader = reader
        number = reader.nextNumber()
        state = Mutex(State(core: core))
    }

    /// Makes the first attempt to connect; later ones are the core's affair.
    ///
    /// - Throws: why there is no connection, if trying again soon will hardly help.
    func start() throws(SystemError) {
        reader.add(self)
        tick()
        let failure = state.withLock { $0.connectFailure }
        guard let failure, !failure.isTemporary else { return }
        stop()
        throw failure
    }

    /// When `tick` must be called at the latest.
    var nextTick: Instant { Instant(nanoseconds: tickAt.load(ordering: .acquiring)) }

    /// Steps the core under the lock by `body` and does everything that follows from it.
    @discardableResult
    func enter<Result: Sendable>(
        _ body: (inout State, Instant, inout [ClientCore.Effect]) -> Result
    ) -> Result {
        let (result, afterwards, work, tick) = state.withLock { state in
            let now = BootClock.now
            var effects: [ClientCore.Effect] = []
            let result = body(&state, now, &effects)
            carryOut(&effects, &state, now)
            let tick = state.nextTick
            tickAt.store(tick.nanoseconds, ordering: .releasing)
            return (result, state.takeAfterwards(), state.takeOutput(), tick)
        }
        if let work { flush(work) }
        reader.wake(at: tick)
        perform(afterwards)
        return result
    }

    /// Does what is to be done, also what others add meanwhile.
    private func perform(_ first: [Afterwards]) {
        var next = first
        while !next.isEmpty {
            for one in next { one.perform() }
            next = state.withLock { $0.takeMoreAfterwards() }
        }
    }

    /// Writes until nothing is left or the socket is full, also what others add meanwhile.
    private func flush(_ first: State.Output) {
        var next: State.Output? = first
        while let work = next {
            // A failure shows at the reader too, which tells the core.
            let sent = (try? work.socket.send(work.bytes[...])) ?? work.bytes.count
            next = state.withLock { state in
                state.isFlushing = false
                if sent < work.bytes.count, state.socket === work.socket {
                    state.output.insert(contentsOf: work.bytes[sent...], at: 0)
                    state.isBlocked = true
                    reader.watch(work.socket, writable: true)
                }
                return state.takeOutput()
            }
        }
    }

    // MARK: Told by the reader

    func tick() {
        enter { state, now, effects in
            if state.isOverdue(now) { return finish(&state) }
            state.core.step(.tick, validity: page.deadline, now: now, effects: &effects)
        }
    }

    func isWritable(socket number: UInt64) {
        enter { state, _, _ in
            guard let socket = state.socket, socket.number == number else { return }
            state.isBlocked = false
            reader.watch(socket, writable: false)
        }
    }

    /// Reads what is there.
    func isReadable(socket number: UInt64) {
        guard let socket = state.withLock({ $0.socket }), socket.number == number else { return }
        var mayBeMore = true
        while mayBeMore {
            let received = socket.receive()
            if case .bytes(_, _, let more) = received {
                mayBeMore = more
            } else {
                mayBeMore = false
            }
            enter { state, now, effects in
                guard state.socket === socket else { return }
                take(received, &state, now, &effects)
            }
        }
    }

    private func take(
        _ received: ClientSocket.Received, _ state: inout State, _ now: Instant,
        _ effects: inout [ClientCore.Effect]
    ) {
        switch received {
        case .bytes(let bytes, let descriptors, _):
            state.keep(descriptors)
            state.input.append(bytes)
            deliverFrames(&state, now, &effects)
        case .nothingYet:
            return
        case .ended(let reason):
            disconnected(reason, &state, now, &effects)
        }
    }

    private func deliverFrames(
        _ state: inout State, _ now: Instant, _ effects: inout [ClientCore.Effect]
    ) {
        do throws(WireError) {
            while let frame = try state.input.next() {
                state.core.step(
                    .frame(frame), validity: page.deadline, now: now, effects: &effects)
                // A new page must be read before the next frame is judged by its deadline.
                carryOut(&effects, &state, now)
                if state.socket == nil { return }
            }
        } catch {
            disconnected(
                "the daemon sent a malformed frame: \(error)", &state, now, &effects)
        }
    }

    private func disconnected(
        _ reason: String, _ state: inout State, _ now: Instant,
        _ effects: inout [ClientCore.Effect]
    ) {
        state.dropSocket(reader)
        state.core.step(
            .disconnected(reason: reason), validity: page.deadline, now: now, effects: &effects)
    }

    // MARK: What the core says

    /// Does what `effects` say, in order, and what that brings about; leaves them empty.
    private func carryOut(
        _ effects: inout [ClientCore.Effect], _ state: inout State, _ now: Instant
    ) {
        var index = 0
        while index < effects.count {
            let effect = effects[index]
            index += 1
            switch effect {
            case .connect: connect(&state, now, &effects)
            case .disconnect: state.dropSocketWhenWritten(reader)
            case .send(let bytes): state.output.append(contentsOf: bytes)
            case .opened(let session, _): adoptPage(&state, session)
            case .answered(let call, let answer): state.answered(call, answer)
            case .event(let call, let answer):
                guard state.event(call, answer) else { continue }
                state.core.pause(call, effects: &effects)
            case .state(let condition): changed(to: condition, &state)
            case .asked(let notice): state.tell(Notice(notice))
            case .closed: finish(&state)
            }
        }
        effects.removeAll(keepingCapacity: true)
    }

    private func connect(
        _ state: inout State, _ now: Instant, _ effects: inout [ClientCore.Effect]
    ) {
        do throws(SystemError) {
            let socket = try ClientSocket.connect(path: path, number: reader.nextNumber())
            try reader.add(socket, of: self)
            state.use(socket)
            state.core.step(.connected, validity: page.deadline, now: now, effects: &effects)
        } catch {
            state.connectFailure = error
            state.core.step(
                .disconnected(reason: "no daemon answers at \(path): \(error)"),
                validity: page.deadline, now: now, effects: &effects)
        }
    }

    /// Without a page the session cannot be believed in, and the core takes it as that.
    private func adoptPage(_ state: inout State, _ session: SessionOpened) {
        guard let descriptor = state.takePageDescriptor() else { return }
        try? page.adopt(descriptor.number, slot: session.slot, session: session.session)
    }

    private func changed(to condition: ClientCore.ClientState, _ state: inout State) {
        if case .lost(let reason) = condition {
            state.lossReason = reason
            page.end()
        }
        state.tell(SessionState(condition))
        if case .lost = condition { finish(&state) }
    }

    /// The core is of no more use: nobody is left waiting, and the reader forgets the session.
    private func finish(_ state: inout State) {
        guard !state.isFinished else { return }
        page.end()
        state.finish(reader)
        reader.remove(self)
    }

    /// Forgets the session without a word to the daemon.
    private func stop() {
        enter { state, _, _ in finish(&state) }
    }
}
