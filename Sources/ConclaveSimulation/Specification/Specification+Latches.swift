import ConclaveBase
import ConclaveCoordination
import ConclaveWire

struct SpecifiedLatch {
    var count: UInt32
    var remaining: UInt32
    var uid: UInt32
    var since: Timestamp
    var opened: Timestamp?
    /// In the order in which they came.
    var waiters: [(session: SessionID, number: UInt64)] = []

    var isUnused: Bool { remaining == count && waiters.isEmpty }

    func state(of name: ObjectName) -> LatchState {
        LatchState(name: name, count: count, remaining: remaining)
    }

    func report(of name: ObjectName) -> LatchReport {
        LatchReport(
            state: state(of: name), uid: uid, since: since, opened: opened,
            waiterCount: UInt32(waiters.count))
    }
}

/// Latches: what was counted stays, and what is open stays open, until it is removed.
extension Specification {
    mutating func latch(_ operation: LatchOperation, _ id: SessionID, _ number: UInt64) {
        let name = operation.name
        latchesHaveChanged = true
        switch operation.action {
        case .countDown(let count):
            guard var latch = latch(name, of: count, id, number) else { return }
            let waiters = latch.waiters
            if latch.remaining > 0 {
                latch.remaining -= 1
                if latch.remaining == 0 {
                    latch.opened = time
                    latch.waiters = []
                }
            }
            latches[name] = latch
            answer(id, number, .counted(latch.state(of: name)))
            guard latch.remaining == 0 else { return }
            for waiter in waiters {
                answer(waiter.session, waiter.number, .counted(latch.state(of: name)))
            }
        case .wait(let count):
            guard var latch = latch(name, of: count, id, number) else { return }
            if latch.remaining == 0 {
                return answer(id, number, .counted(latch.state(of: name)))
            }
            guard latch.waiters.count < quotas.waitersPerObject else {
                return refuse(id, number, .quotaExceeded)
            }
            latch.waiters.append((id, number))
            latches[name] = latch
            wait(id, number, in: ObjectKey(kind: .latch, name: name))
        case .remove:
            guard let latch = latches[name] else { return refuse(id, number, .refused) }
            let uid = sessions[id]!.process.uid
            guard uid == 0 || uid == latch.uid else { return refuse(id, number, .denied) }
            answer(id, number, .done)
            for waiter in latch.waiters { refuse(waiter.session, waiter.number, .refused) }
            latches[name] = nil
        }
    }

    /// `nil`: it cannot be, and that is answered.
    private mutating func latch(
        _ name: ObjectName, of count: UInt32, _ id: SessionID, _ number: UInt64
    ) -> SpecifiedLatch? {
        let uid = sessions[id]!.process.uid
        if let known = latches[name] {
            if known.count == count { return known }
            refuse(id, number, .invalid)
        } else if objectCount >= quotas.objects
            || uid != 0 && latches.values.count(where: { $0.uid == uid }) >= quotas.latchesPerUID
        {
            refuse(id, number, .quotaExceeded)
        } else {
            return SpecifiedLatch(count: count, remaining: count, uid: uid, since: time)
        }
        return nil
    }

    mutating func forgetLatchWait(_ name: ObjectName, _ id: SessionID, _ number: UInt64) {
        latchesHaveChanged = true
        latches[name]!.waiters.removeAll { $0.session == id && $0.number == number }
        if latches[name]!.isUnused { latches[name] = nil }
    }

    mutating func forgetLatchWaits(of id: SessionID) {
        for (name, latch) in latches {
            for waiter in latch.waiters where waiter.session == id {
                forgetLatchWait(name, id, waiter.number)
            }
        }
    }

    var latchReports: [ObjectName: LatchReport] {
        latches.reduce(into: [:]) { $0[$1.key] = $1.value.report(of: $1.key) }
    }
}

/// What the latches were at every version.
struct LatchPictures {
    private var pictures: [(version: Version, latches: [ObjectName: LatchReport])] = []

    mutating func note(_ latches: [ObjectName: LatchReport], at version: Version) {
        pictures.append((version, latches))
    }

    /// By name.
    func reports(
        at version: Version, where isAsked: (ObjectName) -> Bool
    ) -> [LatchReport] {
        let latches = pictures.last { $0.version <= version }?.latches ?? [:]
        return latches.keys.filter(isAsked).sorted().map { latches[$0]! }
    }
}

extension OrderChecker {
    func check(_ page: LatchPage, to subject: ObjectQuery.Subject) throws(Violation) {
        try checkIsKnown(page.version, to: "a reader of latches")
        let known = latchPictures.reports(at: page.version) { name in
            switch subject {
            case .latch(let wanted): name == wanted
            case .latches(let prefix, let after):
                name.text.utf8.starts(with: prefix.utf8) && after.map { $0 < name } ?? true
            default: false
            }
        }
        guard known != page.latches else { return }
        throw Violation(
            .barriers,
            "at version \(page.version.counter) latches were said to be \(page.latches), but "
                + "there was \(known)")
    }

    func check(latch object: ObjectReport, at version: Version) throws(Violation) {
        let known = latchPictures.reports(at: version) { $0 == object.name }.first
        guard
            known?.state.count != object.parties || known?.state.remaining != object.remaining
                || known?.waiterCount != object.waiterCount
        else { return }
        throw Violation(
            .barriers,
            "at version \(version.counter) a latch was said to be \(object), but it was "
                + "\(known.map { "\($0)" } ?? "not there")")
    }
}
