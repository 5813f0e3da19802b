import ConclaveBase
import ConclaveClientCore
import ConclaveWire

extension Conclave {
    /// Something that is awaited until it was counted down `count` times: see `Latch`. Nothing is
    /// asked for yet.
    ///
    /// - Parameters:
    ///   - name: UTF-8, 1 to 255 bytes without control characters; latches have names of their own.
    ///   - count: 1 to 4,294,967,295: the same for all who name it.
    public func latch(_ name: String, count: Int) -> Latch {
        Latch(conclave: self, name: name, count: count)
    }
}

/// Opens once it was counted down as often as its count says, and stays open until it is removed.
///
///     // Three times, anywhere:
///     try await conclave.latch("started/42", count: 3).countDown()
///     // Whoever needs that all have started, before or after they have:
///     try await conclave.latch("started/42", count: 3).wait(timeout: .seconds(60))
///
/// What is counted belongs to no session: it stays done when its program ends. A latch is kept until
/// somebody removes it, open or not, so give it a name that says for what it is, and remove it then.
public struct Latch: Sendable {
    let conclave: Conclave
    public let name: String
    public let count: Int

    /// Takes one from what remains, and returns that: 0 if it is open. Counts once, over
    /// reconnections and restarts of daemons too.
    ///
    /// - Parameter wait: How long to wait for the daemon at most; `nil`: for ever.
    /// - Throws: `invalid` if the latch has another count; `outcomeUnknown` if nobody knows whether it
    ///   was counted; `quotaExceeded`, `unavailable`, `timedOut` and so on: it was not.
    @discardableResult
    public func countDown(wait: Duration? = .seconds(40)) async throws -> Int {
        Int(try await ask(.countDown(of: try checkedCount()), wait).remaining)
    }

    /// Waits until it is open; at once if it is. Whoever waits holds nothing, and a task that is
    /// cancelled changes nothing of the latch.
    ///
    /// - Parameter timeout: How long to wait at most; `nil`: for ever.
    /// - Throws: `timedOut`, `refused` if somebody removes it meanwhile, `invalid` if it has another
    ///   count, and so on.
    public func wait(timeout: Duration? = nil) async throws {
        _ = try await ask(.wait(of: try checkedCount()), timeout)
    }

    /// How often it must still be counted down; 0: it is open. Not older than anything that was
    /// acknowledged before the call.
    ///
    /// - Parameters:
    ///   - local: From the daemon's own copy at once, also outside the majority: it may be behind.
    ///   - wait: How long to wait for the daemon at most; `nil`: for ever.
    /// - Throws: `invalid` if the latch has another count.
    public func remaining(
        local: Bool = false, wait: Duration? = .seconds(10)
    ) async throws -> Int {
        guard let status = try await conclave.latch(named: name, local: local, wait: wait) else {
            return count
        }
        guard status.count == count else {
            throw ConclaveError(
                .invalid, "latch \(name) has a count of \(status.count), not of \(count)")
        }
        return status.remaining
    }

    private func ask(
        _ action: LatchOperation.Action, _ wait: Duration?
    ) async throws -> LatchState {
        let operation = LatchOperation(try Conclave.name(name), action)
        let answer = await conclave.session.answer(
            to: .latch(operation), deadline: Conclave.deadline(after: wait))
        guard case .reply(.counted(let state)) = answer else {
            throw ConclaveError.unexpected(answer)
        }
        return state
    }

    private func checkedCount() throws(ConclaveError) -> UInt32 {
        guard let known = UInt32(exactly: count), known > 0 else {
            throw ConclaveError(.invalid, "a latch has a count of 1 to \(UInt32.max), not \(count)")
        }
        return known
    }
}
