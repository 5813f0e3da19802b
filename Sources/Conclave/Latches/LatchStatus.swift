public import ConclaveBase
import ConclaveClientCore
package import ConclaveWire

/// A latch as it was counted down so far.
public struct LatchStatus: Hashable, Sendable {
    public let name: String
    public let count: Int
    /// 0: it is open.
    public let remaining: Int
    /// Of the user whose process named it first. That user may remove it.
    public let uid: UInt32
    /// When that was.
    public let since: Timestamp
    /// `nil`: it is not open.
    public let opened: Timestamp?
    public let waiterCount: Int

    public var isOpen: Bool { remaining == 0 }

    package init(_ report: LatchReport) {
        name = report.state.name.text
        count = Int(report.state.count)
        remaining = Int(report.state.remaining)
        uid = report.uid
        since = report.since
        opened = report.opened
        waiterCount = Int(report.waiterCount)
    }
}

extension Conclave {
    /// The latch of that name; `nil`: nobody has counted it down, or waits for it. Not older than
    /// anything that was acknowledged before the call.
    ///
    /// - Parameters:
    ///   - local: From the daemon's own copy at once, also outside the majority: it may be behind.
    ///   - wait: How long to wait for the daemon at most; `nil`: for ever.
    public func latch(
        named name: String, local: Bool = false, wait: Duration? = .seconds(10)
    ) async throws -> LatchStatus? {
        let query = ObjectQuery(.latch(try Self.name(name)), isLocal: local)
        return try await page(query, wait).latches.first.map(LatchStatus.init)
    }

    /// The latches whose names begin with `prefix`, by name: page for page as they were then.
    public func latches(
        prefix: String = "", local: Bool = false, wait: Duration? = .seconds(10)
    ) async throws -> [LatchStatus] {
        try Configuration.check(prefix: prefix)
        var latches: [LatchStatus] = []
        var after: ObjectName?
        repeat {
            let query = ObjectQuery(.latches(prefix: prefix, after: after), isLocal: local)
            let page = try await page(query, wait)
            latches += page.latches.map(LatchStatus.init)
            after = page.next
        } while after != nil
        return latches
    }

    /// Forgets a latch, open or not: whoever waits for it is refused. One of that name may begin anew.
    ///
    /// - Throws: `refused` if there is none; `denied` if it counts for another user, and this one is not
    ///   root.
    public func removeLatch(_ name: String, wait: Duration? = .seconds(40)) async throws {
        let operation = LatchOperation(try Self.name(name), .remove)
        let answer = await session.answer(
            to: .latch(operation), deadline: Self.deadline(after: wait))
        guard case .reply(.done) = answer else { throw ConclaveError.unexpected(answer) }
    }

    private func page(_ query: ObjectQuery, _ wait: Duration?) async throws -> LatchPage {
        let answer = await session.answer(
            to: .objects(query), deadline: Self.deadline(after: wait))
        guard case .report(.latches(let page)) = answer else {
            throw ConclaveError.unexpected(answer)
        }
        return page
    }
}
