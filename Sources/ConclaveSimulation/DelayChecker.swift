import ConclaveBase
import ConclaveCoordination
import ConclaveWire

/// Nobody is granted a lock, in true time, for as long as its lost holder had asked for.
struct DelayChecker {
    private struct Closing {
        var lock: ClosedLock
        var at: Moment
    }

    private var closings: [ObjectName: Closing] = [:]

    mutating func closed(_ lock: ClosedLock, at now: Moment) {
        closings[lock.name] = Closing(lock: lock, at: now)
    }

    /// State or history was lost, and with it what was closed.
    mutating func forgetAll() {
        closings.removeAll()
    }

    /// A grant, which may be told once more.
    mutating func granted(_ grant: LockGrant, at now: Moment) throws(Violation) {
        guard let closing = closings[grant.name],
            grant.token.number > closing.lock.since.number
        else { return }
        closings[grant.name] = nil
        guard now.since(closing.at) < closing.lock.delay else { return }
        throw Violation(
            .mutualExclusion,
            "\(grant.name) was granted \(now.since(closing.at)) after a holder was lost who had "
                + "asked for a delay of \(closing.lock.delay)")
    }
}
