package import ConclaveBase
package import ConclaveWire

/// Calls going out, and giving them up.
extension ClientCore {
    /// Replies that may stay unconfirmed while requests that would carry the word are rare.
    private static let unconfirmedReplies = 64
    private static let confirmPause = Interval.seconds(1)

    /// Sends `operation` now or once the session is open, and anew after each reconnection until
    /// it is answered. When `deadline` passes it is cancelled in order, and the answer is definite.
    package mutating func call(
        _ operation: Operation, deadline: Instant?, now: Instant, effects: inout [Effect]
    ) -> CallID {
        let number = add(.operation(operation), deadline: deadline, now: now, effects: &effects)
        guard !isOver else { return CallID(number: number) }
        wantsSession = true
        if phase == .open {
            sendOperation(number, effects: &effects)
        } else if phase == .greeted || phase == .greeting {
            askForSession(effects: &effects)
        }
        return CallID(number: number)
    }

    /// Asks `query` now or once a daemon is there. A subscription lasts until it is cancelled, over
    /// reconnections.
    package mutating func query(
        _ query: Query, deadline: Instant?, now: Instant, effects: inout [Effect]
    ) -> CallID {
        let number = add(.query(query), deadline: deadline, now: now, effects: &effects)
        if !isOver { sendQuery(number, effects: &effects) }
        return CallID(number: number)
    }

    /// Gives a call up: an operation is cancelled in order and answered with what the group says,
    /// `cancelled` or its own reply; a subscription ends without another word.
    package mutating func cancel(_ call: CallID, now: Instant, effects: inout [Effect]) {
        guard !isOver else { return }
        lastNow = now
        giveUp(call.number, .gaveUp, effects: &effects)
    }

    private mutating func add(
        _ content: Call.Content, deadline: Instant?, now: Instant, effects: inout [Effect]
    ) -> UInt64 {
        let call = Call(content, deadline: deadline)
        guard !isOver, !isEnding else {
            let number = calls.drawNumber()
            let failure = ClientFailure.sessionLost(lossReason)
            effects.append(.answered(CallID(number: number), .failed(failure)))
            return number
        }
        lastNow = now
        earliestDeadline = min(earliestDeadline, call.deadline)
        return calls.add(call)
    }

    private var lossReason: LossReason {
        if case .lost(let reason)? = state { reason } else { .ended(.goodbye) }
    }

    mutating func sendOperation(_ number: UInt64, effects: inout [Effect]) {
        guard case .operation(let operation)? = calls[number]?.content else { return }
        let frame = OperationFrame(confirmed: confirmed, operation: operation)
        send(operation.type, number: number, effects: &effects) { frame.encode(into: &$0) }
        calls[number]?.wasSent = true
        unconfirmedCount = 0
        confirmAt = .distantFuture
    }

    mutating func sendQuery(_ number: UInt64, effects: inout [Effect]) {
        guard phase == .greeted || phase == .open else { return }
        guard case .query(let query)? = calls[number]?.content else { return }
        send(query.type, number: number, effects: &effects) { $0.raw(query.body) }
        calls[number]?.wasSent = true
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

    mutating func expireCalls(now: Instant, effects: inout [Effect]) {
        guard earliestDeadline <= now else { return }
        for number in calls.numbers {
            guard let call = calls[number], call.deadline <= now else { continue }
            if call.givenUp == nil, !call.isAnswered {
                giveUp(number, .timedOut, effects: &effects)
            }
        }
        earliestDeadline = calls.earliestDeadline
    }

    private mutating func giveUp(
        _ number: UInt64, _ reason: CancelReason, effects: inout [Effect]
    ) {
        guard let call = calls[number], call.givenUp == nil, !call.isInternal else { return }
        if case .query(let query) = call.content {
            giveUp(query, number, reason, effects: &effects)
        } else if call.wasSent {
            calls[number]?.givenUp = reason
            cancelInOrder(number, reason, effects: &effects)
        } else {
            fail(number, reason, effects: &effects)
        }
    }

    private mutating func cancelInOrder(
        _ number: UInt64, _ reason: CancelReason, effects: inout [Effect]
    ) {
        var cancel = Call(.operation(.cancel(number: number, reason: reason)), deadline: nil)
        cancel.isInternal = true
        let cancelNumber = calls.add(cancel)
        if phase == .open { sendOperation(cancelNumber, effects: &effects) }
    }

    private mutating func giveUp(
        _ query: Query, _ number: UInt64, _ reason: CancelReason, effects: inout [Effect]
    ) {
        let isAnswered = calls[number]?.isAnswered ?? true
        if query.isSubscription, phase == .greeted || phase == .open {
            send(.unsubscribe, number: calls.drawNumber(), effects: &effects) {
                $0.integer(number)
            }
        }
        if isAnswered {
            calls[number] = nil
        } else {
            fail(number, reason, effects: &effects)
        }
    }

    /// Answers a call that changed nothing: it was never sent, or only asked.
    private mutating func fail(
        _ number: UInt64, _ reason: CancelReason, effects: inout [Effect]
    ) {
        calls[number] = nil
        let failure: ClientFailure =
            switch reason {
            case .gaveUp: .cancelled
            case .timedOut: .unavailable(unavailability)
            }
        effects.append(.answered(CallID(number: number), .failed(failure)))
    }

    /// Why nothing could be sent.
    private var unavailability: String {
        if let serving, !serving.isServing { return serving.reason }
        if case .apart = phase { return apartReason }
        if case .connecting = phase { return apartReason }
        return "the daemon has not answered"
    }
}
