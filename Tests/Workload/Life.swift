import Conclave
import ConclaveBase
import ConclaveSimulation
import Synchronization

/// One connection with at most one session: what a history calls a process.
final class Life: Sendable {
    struct Call: Sendable, CustomStringConvertible {
        var number: UInt64
        var began: UInt64
        var description: String
    }

    let process: UInt64
    let conclave: Conclave
    private let history: HistoryFile
    private let tally: Tally
    private let callCount = Atomic<UInt64>(0)
    /// The last time at which the session was seen to be valid: it ends later than that.
    private let lastValid = Atomic<UInt64>(HistoryClock.nanoseconds)
    private let hasLost = Atomic<Bool>(false)

    init(_ conclave: Conclave, history: HistoryFile, tally: Tally) {
        self.conclave = conclave
        self.history = history
        self.tally = tally
        process = history.nextProcess()
    }

    /// Nothing more can be asked: the session is lost, or of something asked nobody knows the
    /// outcome.
    var isLost: Bool { hasLost.load(ordering: .acquiring) }

    // MARK: - Operations

    /// Writes down that an operation begins, before anything of it is sent.
    func begin(_ action: HistoryCall.Action, on name: ObjectName) -> Call {
        let number = callCount.wrappingAdd(1, ordering: .relaxed).newValue
        let call = Call(
            number: number, began: HistoryClock.nanoseconds,
            description: "process \(process), call \(number): \(action) on \(name)")
        tally.began()
        write(.called(HistoryCall(action, name)), of: call, at: call.began)
        return call
    }

    func end(_ call: Call, with answer: HistoryAnswer) {
        write(.answered(answer), of: call)
        tally.ended(call, with: answer)
        switch answer {
        case .unknown: hasLost.store(true, ordering: .releasing)
        case .granted, .elected, .busy, .done, .tripped, .written, .mismatched:
            noteValid(at: call.began)
        case .broken, .cancelled, .refused: break
        }
    }

    /// Something was let go of that was held until `deadline`, as was known before. What was given up
    /// in time and went down with its session counts as given up too: when it was only the deadline
    /// that ended the waiting, nobody knows what the group has done.
    func endLettingGo(_ call: Call, heldUntil deadline: ContinuousClock.Instant) {
        guard ContinuousClock.now >= deadline else { return end(call, with: .done) }
        tally.ended(call, with: .done)
    }

    func fail(_ call: Call, with error: any Error) {
        end(call, with: HistoryAnswer(error))
    }

    /// To be called before the operation is told to give up.
    func giveUp(_ call: Call) {
        write(.gaveUp, of: call)
    }

    func observed(_ observation: HistoryObservation) {
        history.write(
            HistoryEvent(at: HistoryClock.nanoseconds, process: process, .observed(observation)))
    }

    func read(_ read: HistoryRead) {
        history.write(HistoryEvent(at: HistoryClock.nanoseconds, process: process, .read(read)))
    }

    func watched(_ watched: HistoryWatch) {
        history.write(
            HistoryEvent(at: HistoryClock.nanoseconds, process: process, .watched(watched)))
    }

    private func write(_ kind: HistoryEvent.Kind, of call: Call, at nanoseconds: UInt64? = nil) {
        history.write(
            HistoryEvent(
                at: nanoseconds ?? HistoryClock.nanoseconds, process: process, call: call.number,
                kind))
    }

    // MARK: - Holding and ending

    /// Returns early when what is held is no longer valid.
    func hold(_ validity: Validity, milliseconds: UInt64) async {
        let end = HistoryClock.nanoseconds + milliseconds * 1_000_000
        while note(validity), !Task.isCancelled, HistoryClock.nanoseconds < end {
            try? await Task.sleep(for: .milliseconds(5))
        }
    }

    /// Whether it is valid. The time is taken first, so that it was valid then.
    @discardableResult
    func note(_ validity: Validity) -> Bool {
        let now = HistoryClock.nanoseconds
        guard validity.isValid else { return false }
        noteValid(at: now)
        return true
    }

    private func noteValid(at nanoseconds: UInt64) {
        lastValid.max(nanoseconds, ordering: .relaxed)
    }

    /// Ends the session, with everything that it may still hold.
    ///
    /// - Parameter validity: Of what it still holds.
    func end(holding validity: Validity? = nil) async {
        let isKnownToLive = !isLost && validity.map(note) ?? true
        let now = HistoryClock.nanoseconds
        let known = lastValid.load(ordering: .relaxed)
        let event =
            isKnownToLive
            ? HistoryEvent(at: validity == nil ? now : known, process: process, .goodbye)
            : HistoryEvent(at: now, process: process, .lost(since: known))
        history.write(event)
        await conclave.close()
    }
}
