import ConclaveBase
import ConclaveWire

/// The calls of one session, and the numbers that their requests have.
struct CallTable {
    private var calls: [CallID: Call] = [:]
    private var ids: [UInt64: CallID] = [:]
    private var lastCall: UInt64 = 0
    private var lastNumber: UInt64 = 0
    /// Operations that were sent, of which the group may keep something still.
    private(set) var inFlightCount = 0
    /// Numbers of operations that did not get as far as the group, while the cancel of each does: it
    /// leaves word there that they are cancelled.
    private var cancelledOnly: Set<UInt64> = []

    /// In the order in which they were made.
    var inOrder: [CallID] { calls.keys.sorted() }

    /// Those that were sent, in the order of their requests' numbers.
    var sent: [CallID] { ids.sorted { $0.key < $1.key }.map(\.value) }

    subscript(call: CallID) -> Call? { calls[call] }

    func call(numbered number: UInt64) -> CallID? { ids[number] }

    mutating func drawCall() -> CallID {
        lastCall += 1
        return CallID(number: lastCall)
    }

    mutating func drawNumber() -> UInt64 {
        lastNumber += 1
        return lastNumber
    }

    mutating func add(_ call: Call) -> CallID {
        let id = drawCall()
        calls[id] = call
        return id
    }

    /// Gives the call's request its number, if it has none yet.
    mutating func noteSent(_ id: CallID) {
        guard let call = calls[id], !call.wasSent else { return }
        let number = drawNumber()
        calls[id]?.number = number
        ids[number] = id
        if call.isOperation { inFlightCount += 1 }
    }

    mutating func noteAnswered(_ id: CallID) {
        calls[id]?.isAnswered = true
    }

    mutating func noteGivenUp(_ id: CallID, _ reason: CancelReason) {
        calls[id]?.givenUp = reason
    }

    /// Returns whether the follower of views did not know of `epoch` yet.
    mutating func noteEpoch(_ id: CallID, _ epoch: Epoch) -> Bool {
        guard let call = calls[id], epoch > call.newestEpoch else { return false }
        calls[id]?.newestEpoch = epoch
        return true
    }

    /// Whether an observer was told nothing newer.
    mutating func noteVersion(_ id: CallID, _ version: Version) -> Bool {
        guard let call = calls[id], version >= call.newestVersion else { return false }
        calls[id]?.newestVersion = version
        return true
    }

    /// Changes how far a watch of keys has come, if the call is one.
    mutating func changeWatch<Result>(
        _ id: CallID, _ body: (inout WatchProgress) -> Result?
    ) -> Result? {
        guard var watch = calls[id]?.watch else { return nil }
        defer { calls[id]?.watch = watch }
        return body(&watch)
    }

    /// As `changeWatch`, for a follower of a task group.
    mutating func changeGroup<Result>(
        _ id: CallID, _ body: (inout GroupProgress) -> Result?
    ) -> Result? {
        guard var group = calls[id]?.group else { return nil }
        defer { calls[id]?.group = group }
        return body(&group)
    }

    /// Changes how sure a follower may be, if the call is one.
    mutating func changeAssurance(_ id: CallID, _ body: (inout Assurance) -> Bool) -> Bool {
        guard var assurance = calls[id]?.assurance else { return false }
        defer { calls[id]?.assurance = assurance }
        return body(&assurance)
    }

    mutating func hear(_ id: CallID) { calls[id]?.assurance?.hear() }

    /// The connection is gone.
    mutating func interrupt(_ id: CallID) {
        calls[id]?.assurance?.interrupt()
        calls[id]?.watch?.interrupt()
        calls[id]?.group?.interrupt()
    }

    /// What still comes for its number is nobody's; it gets another one when it is asked anew.
    mutating func pause(_ id: CallID) {
        guard let number = calls[id]?.number else { return }
        ids[number] = nil
        calls[id]?.number = 0
        calls[id]?.isPaused = true
        interrupt(id)
    }

    mutating func resume(_ id: CallID) { calls[id]?.isPaused = false }

    mutating func remove(_ id: CallID) {
        guard let call = calls.removeValue(forKey: id), call.wasSent else { return }
        ids[call.number] = nil
        if call.isOperation { inFlightCount -= 1 }
    }

    /// A call that the daemon itself has refused. One that was given up is in flight until its cancel is
    /// answered, if that is still to come.
    mutating func removeRefused(_ id: CallID) {
        if let call = calls[id], call.givenUp != nil,
            calls.values.contains(where: { $0.cancelledNumber == call.number })
        {
            cancelledOnly.insert(call.number)
            inFlightCount += 1
        }
        remove(id)
    }

    /// The cancel of the operation with this number is over.
    mutating func noteCancelEnded(of number: UInt64) {
        if cancelledOnly.remove(number) != nil { inFlightCount -= 1 }
    }

    mutating func removeAll() {
        calls.removeAll()
        ids.removeAll()
        cancelledOnly.removeAll()
        inFlightCount = 0
    }

    /// The earliest deadline of a call that was neither answered nor given up yet.
    var earliestDeadline: Instant {
        var earliest = Instant.distantFuture
        for call in calls.values where call.givenUp == nil && !call.isAnswered {
            earliest = min(earliest, call.deadline)
        }
        return earliest
    }
}
