package import ConclaveBase
package import ConclaveWire

/// Calls going out, and giving them up.
extension ClientCore {
    /// Replies that may stay unconfirmed while requests that would carry the word are rare.
    private static let unconfirmedReplies = 64
    private static let confirmPause = Interval.seconds(1)

    /// Sends `operation` now or once the session is open, and anew after each reconnection until
    /// it is answered. When `deadline` passes it is cancelled in order, and the answer is definite.
    ///
    /// - Precondition: `onLoss` is for operations that something is held after.
    package mutating func call(
        _ operation: Operation, onLoss: LossAction = .notify, deadline: Instant?, now: Instant,
        effects: inout [Effect]
    ) -> CallID {
        precondition(onLoss == .notify || LossGuards.count(of: operation) > 0)
        let call = Call(.operation(operation), onLoss: onLoss, deadline: deadline)
        let id = add(call, now: now, effects: &effects)
        guard calls[id] != nil else { return id }
        wantsSession = true
        line(id)
        if phase == .open {
            sendWaiting(effects: &effects)
        } else if phase == .greeted || phase == .greeting {
            askForSession(effects: &effects)
        }
        return id
    }

    /// Asks `query` now or once a daemon is there. A subscription lasts until it is cancelled, over
    /// reconnections.
    package mutating func query(
        _ query: Query, deadline: Instant?, now: Instant, effects: inout [Effect]
    ) -> CallID {
        let id = add(Call(.query(query), deadline: deadline), now: now, effects: &effects)
        if phase == .greeted || phase == .open {
            sendQuery(id, effects: &effects)
            tellDoubt(id, effects: &effects)
        }
        return id
    }

    /// Gives a call up: an operation is cancelled in order and answered with what the group says,
    /// `cancelled` or its own reply; a subscription that has told its first state ends without
    /// another word.
    package mutating func cancel(_ call: CallID, now: Instant, effects: inout [Effect]) {
        guard !isOver else { return }
        lastNow = now
        giveUp(call, .gaveUp, effects: &effects)
    }

    private mutating func add(
        _ call: Call, now: Instant, effects: inout [Effect]
    ) -> CallID {
        guard !isOver, !isEnding else {
            let id = calls.drawCall()
            effects.append(.answered(id, .failed(failure(after: lossReason))))
            return id
        }
        lastNow = now
        earliestDeadline = min(earliestDeadline, call.deadline)
        return calls.add(call)
    }

    private var lossReason: LossReason {
        if case .lost(let reason)? = state { reason } else { .ended(.goodbye) }
    }

    // MARK: - Sending

    /// A connection has the session: what was sent before goes out again, in the order of its
    /// numbers and but for what the group says it has, then what was never sent.
    mutating func sendAll(except known: Set<UInt64>, effects: inout [Effect]) {
        for id in calls.sent {
            guard let call = calls[id], call.isOperation, !known.contains(call.number) else {
                continue
            }
            sendOperation(id, effects: &effects)
        }
        sendWaiting(effects: &effects)
    }

    private mutating func line(_ id: CallID) {
        if calls[id]?.letsGo == true { lettingGo.append(id) } else { waiting.append(id) }
    }

    /// Sends what was not sent yet, as far as there is room in flight.
    ///
    /// However many calls are made at once, nothing of it meets a quota. When a request is applied,
    /// the group keeps no more than what was in flight here when it was sent, but for late replies
    /// that are confirmed and cannot be proven yet (see `Replies`): each of those waited, and no
    /// more than `room` ever wait.
    mutating func sendWaiting(effects: inout [Effect]) {
        while let id = lettingGo.first, calls.inFlightCount < settings.requestsInFlight {
            lettingGo.removeFirst()
            if calls[id] != nil { sendOperation(id, effects: &effects) }
        }
        while let id = waiting.first, calls.inFlightCount < room {
            waiting.removeFirst()
            if calls[id] != nil { sendOperation(id, effects: &effects) }
        }
    }

    /// For what may wait. The rest is for what lets go of something: that is answered at once, and
    /// so there is always room for the next of it.
    private var room: Int {
        max(1, settings.requestsInFlight - max(1, settings.requestsInFlight / 8))
    }

    private mutating func sendOperation(_ id: CallID, effects: inout [Effect]) {
        calls.noteSent(id)
        guard let call = calls[id], case .operation(let operation) = call.content else { return }
        guards.sent(operation, number: call.number, onLoss: call.onLoss)
        let frame = OperationFrame(
            confirmed: confirmed, onLoss: call.onLoss, operation: operation)
        send(operation.type, number: call.number, effects: &effects) { frame.encode(into: &$0) }
        unconfirmedCount = 0
        confirmAt = .distantFuture
    }

    mutating func sendQueries(effects: inout [Effect]) {
        for id in calls.inOrder where calls[id].map({ !$0.isOperation && !$0.isPaused }) == true {
            sendQuery(id, effects: &effects)
        }
    }

    mutating func sendQuery(_ id: CallID, effects: inout [Effect]) {
        calls.noteSent(id)
        guard let call = calls[id], case .query(let query) = call.content else { return }
        let asked = query.resumed(call)
        send(query.type, number: call.number, effects: &effects) { $0.raw(asked.body) }
    }

    /// A reply has come: the daemon is told so by the next request, or by a frame of its own if
    /// none follows soon.
    mutating func noteReply(to number: UInt64, now: Instant, effects: inout [Effect]) {
        confirmed = max(confirmed, number)
        unconfirmedCount += 1
        if unconfirmedCount >= Self.unconfirmedReplies {
            sendConfirm(effects: &effects)
        } else if confirmAt == .distantFuture {
            confirmAt = now.advanced(by: Self.confirmPause)
        }
    }

    mutating func sendConfirm(effects: inout [Effect]) {
        confirmAt = .distantFuture
        unconfirmedCount = 0
        let confirmed = confirmed
        send(.confirm, number: 0, effects: &effects) { $0.integer(confirmed) }
    }

    // MARK: - Giving up

    mutating func expireCalls(now: Instant, effects: inout [Effect]) {
        guard earliestDeadline <= now else { return }
        for id in calls.inOrder {
            guard let call = calls[id], call.deadline <= now, !call.isAnswered else { continue }
            giveUp(id, .timedOut, effects: &effects)
        }
        earliestDeadline = calls.earliestDeadline
    }

    private mutating func giveUp(
        _ id: CallID, _ reason: CancelReason, effects: inout [Effect]
    ) {
        guard let call = calls[id], call.givenUp == nil, !call.isInternal else { return }
        if case .query(let query) = call.content {
            if query.mayWait { unsubscribe(call, effects: &effects) }
            if call.isAnswered { return calls.remove(id) }
            fail(id, reason, effects: &effects)
        } else if call.wasSent {
            calls.noteGivenUp(id, reason)
            cancelInOrder(call.number, reason, effects: &effects)
        } else {
            fail(id, reason, effects: &effects)
        }
    }

    private mutating func cancelInOrder(
        _ number: UInt64, _ reason: CancelReason, effects: inout [Effect]
    ) {
        var cancel = Call(.operation(.cancel(number: number, reason: reason)), deadline: nil)
        cancel.isInternal = true
        line(calls.add(cancel))
        if phase == .open { sendWaiting(effects: &effects) }
    }

    mutating func unsubscribe(_ call: Call, effects: inout [Effect]) {
        guard call.wasSent, phase == .greeted || phase == .open else { return }
        send(.unsubscribe, number: calls.drawNumber(), effects: &effects) {
            $0.integer(call.number)
        }
    }

    /// Answers a call that was never sent, only asked, or cannot be cancelled.
    private mutating func fail(
        _ id: CallID, _ reason: CancelReason, effects: inout [Effect]
    ) {
        let mayHaveChanged = calls[id].map { $0.isWish && $0.wasSent } ?? false
        let isInLine = isServed && calls[id]?.isOperation == true
        calls.remove(id)
        let failure: ClientFailure =
            switch reason {
            case .gaveUp: .cancelled
            case .timedOut where isInLine: .timedOut
            case .timedOut: mayHaveChanged ? .outcomeUnknown : .unavailable(unavailability)
            }
        effects.append(.answered(id, .failed(failure)))
    }

    /// Nothing but time keeps a request from being sent: calls before it, or the session, which is
    /// being opened.
    private var isServed: Bool {
        phase == .open || phase == .greeted && serving?.isServing == true
    }

    /// Why nothing could be sent, or nothing came back.
    private var unavailability: String {
        if let serving, !serving.isServing { return serving.reason }
        switch phase {
        case .apart, .connecting: return apartReason
        case .greeting, .greeted, .open: return "the daemon has not answered"
        }
    }
}
