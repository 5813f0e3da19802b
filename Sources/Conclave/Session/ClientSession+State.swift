import ConclaveBase
import ConclaveClientCore
import ConclaveWire
import Glibc

extension ClientSession {
    /// Who is told of the answer to a call.
    enum Pending {
        case call(CheckedContinuation<ClientCore.Answer, Never>)
        case stream(ReportStream.Reports.Continuation, ReportStream.Flow, isEndless: Bool)
    }

    /// Everything of a session that its lock guards.
    struct State {
        var core: ClientCore
        private(set) var socket: ClientSocket?
        var input = FrameBuffer()
        var output: [UInt8] = []
        /// A thread is writing to the socket; it will take what is added meanwhile.
        var isFlushing = false
        /// The socket is full; the reader tells when it is not.
        var isBlocked = false
        /// Why the newest attempt to connect failed.
        var connectFailure: SystemError?
        /// Came with a frame, and is for the session that the frame opens.
        private var pageDescriptor: OwnedDescriptor?
        var pending: [CallID: Pending] = [:]
        private var condition = SessionState.healthy
        private var observers: [UInt64: AsyncStream<SessionState>.Continuation] = [:]
        private var noticeObservers: [UInt64: AsyncStream<Notice>.Continuation] = [:]
        /// Each is told once, when the session is lost.
        private var lossObservers: [UInt64: @Sendable () -> Void] = [:]
        private var closers: [CheckedContinuation<Void, Never>] = []
        /// How long a goodbye waits for its answer.
        private var closingDeadline = Instant.distantFuture
        private(set) var isFinished = false
        /// What is told to calls that come after the end.
        var lossReason = ClientCore.LossReason.ended(.goodbye)
        /// What is done when the lock is released.
        private var afterwards: [Afterwards] = []
        /// A thread is doing what was to be done; it will do what is added meanwhile.
        private var isTelling = false

        init(core: ClientCore) {
            self.core = core
        }

        var nextTick: Instant {
            isFinished ? .distantFuture : min(core.nextTick, closingDeadline)
        }
    }

    /// Bytes on their way out, with the socket they are for.
    struct Output {
        var socket: ClientSocket
        var bytes: [UInt8]
    }
}

extension ClientSession.State {
    typealias Output = ClientSession.Output

    mutating func use(_ socket: ClientSocket) {
        self.socket = socket
        connectFailure = nil
        input = FrameBuffer()
        output.removeAll(keepingCapacity: true)
        isBlocked = false
    }

    /// What is to be written now, if this thread is to write it.
    mutating func takeOutput() -> Output? {
        guard !output.isEmpty, !isFlushing, !isBlocked, let socket else { return nil }
        isFlushing = true
        let work = Output(socket: socket, bytes: output)
        output.removeAll(keepingCapacity: false)
        return work
    }

    /// What is to be done now, if this thread is to do it.
    mutating func takeAfterwards() -> [Afterwards] {
        guard !isTelling, !afterwards.isEmpty else { return [] }
        isTelling = true
        defer { afterwards = [] }
        return afterwards
    }

    /// As `takeAfterwards`, by the thread that has done what it took before.
    mutating func takeMoreAfterwards() -> [Afterwards] {
        isTelling = false
        return takeAfterwards()
    }

    mutating func dropSocket(_ reader: Reader) {
        guard let socket else { return }
        self.socket = nil
        reader.remove(socket)
        socket.end()
    }

    /// As `dropSocket`, but what is to be sent goes out before, as far as the socket takes it.
    mutating func dropSocketWhenWritten(_ reader: Reader) {
        if let socket, !isFlushing, !output.isEmpty { _ = try? socket.send(output[...]) }
        dropSocket(reader)
    }

    /// Keeps the newest; a daemon sends one with each session it opens.
    mutating func keep(_ descriptors: [Int32]) {
        for descriptor in descriptors { pageDescriptor = OwnedDescriptor(descriptor) }
    }

    mutating func takePageDescriptor() -> OwnedDescriptor? {
        defer { pageDescriptor = nil }
        return pageDescriptor
    }

    mutating func answered(_ call: CallID, _ answer: ClientCore.Answer) {
        switch pending[call] {
        case nil: return
        case .call(let continuation)?:
            pending[call] = nil
            afterwards.append(.answer(continuation, answer))
        case .stream?: event(call, answer)
        }
    }

    /// Returns whether a follower was told more than it takes.
    @discardableResult
    mutating func event(_ call: CallID, _ answer: ClientCore.Answer) -> Bool {
        guard case .stream(let continuation, let flow, let isEndless)? = pending[call] else {
            return false
        }
        if case .report(let report) = answer {
            afterwards.append(.report(continuation, report))
            let isFull = flow.told(report)
            if isEndless, !report.isLast { return isFull }
        }
        pending[call] = nil
        afterwards.append(.endStream(continuation, ConclaveError.failure(of: answer)))
        return false
    }

    mutating func tell(_ condition: SessionState) {
        self.condition = condition
        afterwards += observers.values.map { .state($0, condition) }
        guard case .lost = condition else { return }
        afterwards += lossObservers.values.map { .lost($0) }
        lossObservers.removeAll()
    }

    /// The stream begins with the present state.
    mutating func observe(_ number: UInt64, _ observer: AsyncStream<SessionState>.Continuation) {
        afterwards.append(.state(observer, condition))
        if isFinished {
            afterwards.append(.endStates(observer))
        } else {
            observers[number] = observer
        }
    }

    mutating func removeObserver(_ number: UInt64) {
        observers[number] = nil
    }

    mutating func tell(_ notice: Notice) {
        afterwards += noticeObservers.values.map { .notice($0, notice) }
    }

    mutating func observe(_ number: UInt64, _ observer: AsyncStream<Notice>.Continuation) {
        if isFinished {
            afterwards.append(.endNotices(observer))
        } else {
            noticeObservers[number] = observer
        }
    }

    mutating func removeNoticeObserver(_ number: UInt64) {
        noticeObservers[number] = nil
    }

    mutating func whenLost(_ number: UInt64, _ observer: @escaping @Sendable () -> Void) {
        if isFinished {
            afterwards.append(.lost(observer))
        } else {
            lossObservers[number] = observer
        }
    }

    mutating func removeLossObserver(_ number: UInt64) {
        lossObservers[number] = nil
    }

    /// `closer` is resumed when the session is over, at `deadline` at the latest.
    mutating func close(by deadline: Instant, _ closer: CheckedContinuation<Void, Never>?) {
        closingDeadline = min(closingDeadline, deadline)
        guard let closer else { return }
        if isFinished {
            afterwards.append(.closed(closer))
        } else {
            closers.append(closer)
        }
    }

    mutating func refuse(_ pending: ClientSession.Pending, _ failure: ClientCore.ClientFailure) {
        let answer = ClientCore.Answer.failed(failure)
        switch pending {
        case .call(let continuation):
            afterwards.append(.answer(continuation, answer))
        case .stream(let continuation, _, _):
            afterwards.append(.endStream(continuation, ConclaveError.failure(of: answer)))
        }
    }

    func isOverdue(_ now: Instant) -> Bool { closingDeadline <= now }

    /// Nobody is left waiting. Calls were all answered by the core, unless the goodbye took too
    /// long: then their outcome is unknown.
    mutating func finish(_ reader: Reader) {
        isFinished = true
        dropSocketWhenWritten(reader)
        for call in pending.keys.sorted() { answered(call, .failed(.outcomeUnknown)) }
        if case .lost = condition {} else { tell(.lost(reason: "the session was closed")) }
        afterwards += observers.values.map { .endStates($0) }
        observers.removeAll()
        afterwards += noticeObservers.values.map { .endNotices($0) }
        noticeObservers.removeAll()
        afterwards += closers.map { .closed($0) }
        closers.removeAll()
    }
}

extension ClientCore.Report {
    /// Whether the stream ends with it, though nothing has failed.
    fileprivate var isLast: Bool {
        if case .groupUpdates(let updates) = self { updates.last == .over } else { false }
    }
}

/// A descriptor that is closed with its last reference.
final class OwnedDescriptor: Sendable {
    let number: Int32

    init(_ number: Int32) {
        self.number = number
    }

    deinit {
        close(number)
    }
}
