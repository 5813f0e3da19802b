import ConclaveBase
import ConclaveCoordination
import ConclaveWire

struct SpecifiedLease: Equatable {
    var holder: String
    var token: FencingToken
    var ttl: Interval
    var uid: UInt32
    var since: Timestamp
    var renewed: Version
    var renewedAt: Timestamp

    func grant(of name: ObjectName) -> LeaseGrant {
        LeaseGrant(name: name, holder: holder, token: token, ttl: ttl)
    }

    var holding: HistoryHolding {
        HistoryHolding(
            holder: HistoryHolder(process: nil, uid: uid, label: holder), token: token,
            since: since)
    }

    func report(of name: ObjectName) -> LeaseReport {
        LeaseReport(grant: grant(of: name), uid: uid, since: since, renewed: renewedAt)
    }
}

/// Leases: had by one at a time, until they are released or nobody has renewed them.
extension Specification {
    mutating func lease(_ operation: LeaseOperation, _ id: SessionID, _ number: UInt64) {
        let name = operation.name
        guard operation.ttl ?? .zero <= quotas.maximumTTL else {
            return refuse(id, number, .invalid)
        }
        let known = leases[name]
        switch operation.action {
        case .grant(let ttl, let holder):
            guard !grantsAreSuspended else { return refuse(id, number, .unavailable) }
            if let known { return answer(id, number, .leaseTaken(known.grant(of: name))) }
            let uid = sessions[id]!.process.uid
            guard objectCount < quotas.objects,
                uid == 0 || leases.values.count(where: { $0.uid == uid }) < quotas.leasesPerUID
            else { return refuse(id, number, .quotaExceeded) }
            let lease = SpecifiedLease(
                holder: holder, token: FencingToken(version), ttl: ttl, uid: uid, since: time,
                renewed: version, renewedAt: time)
            note(.granted(lease.holding), .lease, name)
            set(name, to: lease, id, number)
        case .renew(let token):
            guard var lease = proven(name, token, id, number) else { return }
            lease.renewed = version
            lease.renewedAt = time
            set(name, to: lease, id, number)
        case .release(let token):
            guard proven(name, token, id, number) != nil else { return }
            answer(id, number, .done)
            endLease(name, .released)
        case .transfer(let token, let holder, let ttl):
            guard let known = proven(name, token, id, number) else { return }
            note(.ended(known.holding, .transferred), .lease, name)
            let lease = SpecifiedLease(
                holder: holder, token: FencingToken(version), ttl: ttl ?? known.ttl,
                uid: known.uid, since: time, renewed: version, renewedAt: time)
            note(.granted(lease.holding), .lease, name)
            set(name, to: lease, id, number)
        }
    }

    private mutating func proven(
        _ name: ObjectName, _ token: FencingToken, _ id: SessionID, _ number: UInt64
    ) -> SpecifiedLease? {
        guard let lease = leases[name], lease.token == token else {
            refuse(id, number, .notHeld)
            return nil
        }
        let uid = sessions[id]!.process.uid
        guard uid == 0 || uid == lease.uid else {
            refuse(id, number, .denied)
            return nil
        }
        return lease
    }

    private mutating func set(
        _ name: ObjectName, to lease: SpecifiedLease, _ id: SessionID, _ number: UInt64
    ) {
        leases[name] = lease
        leasesHaveChanged = true
        answer(id, number, .leased(lease.grant(of: name)))
        effects.append(
            .leaseSet(LeaseTerm(name: name, renewed: lease.renewed, ttl: lease.ttl)))
    }

    mutating func expireLease(_ name: ObjectName, renewed: Version) {
        guard leases[name]?.renewed == renewed else { return }
        endLease(name, .expired)
    }

    /// - Precondition: somebody has it.
    mutating func endLease(_ name: ObjectName, _ end: HoldingEnd) {
        note(.ended(leases[name]!.holding, end), .lease, name)
        leases[name] = nil
        leasesHaveChanged = true
        effects.append(.leaseEnded(name))
    }
}

/// What the leases were at every version.
struct LeasePictures {
    private var pictures: [(version: Version, leases: [ObjectName: SpecifiedLease])] = []

    mutating func note(_ leases: [ObjectName: SpecifiedLease], at version: Version) {
        pictures.append((version, leases))
    }

    /// By name.
    func reports(_ subject: ObjectQuery.Subject, at version: Version) -> [LeaseReport] {
        let leases = pictures.last { $0.version <= version }?.leases ?? [:]
        return leases.keys.filter { name in
            switch subject {
            case .lease(let wanted): name == wanted
            case .leases(let prefix, let after):
                name.text.utf8.starts(with: prefix.utf8) && after.map { $0 < name } ?? true
            case .locks, .why, .leader, .sessions, .history, .latch, .latches: false
            }
        }.sorted().map { leases[$0]!.report(of: $0) }
    }
}

extension OrderChecker {
    func check(_ page: LeasePage, to subject: ObjectQuery.Subject) throws(Violation) {
        try checkIsKnown(page.version, to: "a reader of leases")
        let known = leasePictures.reports(subject, at: page.version)
        var told = page.leases
        for index in told.indices {
            let longest = ClockDrift.lengthened(told[index].grant.ttl)
            if let remaining = told[index].remaining, remaining > longest {
                throw Violation(.progress, "\(remaining) of \(longest) are left: \(told[index])")
            }
            told[index].remaining = nil
        }
        guard known != told else { return }
        throw Violation(
            .totalOrder,
            "at version \(page.version.counter) leases were said to be \(told), but there was "
                + "\(known)")
    }
}
