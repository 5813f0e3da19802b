package import ConclaveBase
package import ConclaveWire

/// Rights for a time that belong to no session.
extension Coordinator {
    mutating func lease(
        _ operation: LeaseOperation, _ request: RequestReference,
        effects: inout [CoordinationEffect]
    ) {
        if let ttl = operation.ttl, ttl > quotas.maximumTTL {
            let message = "ttl \(ttl) is longer than \(quotas.maximumTTL)"
            return refuse(request, .invalid, message, effects: &effects)
        }
        let name = operation.name
        switch operation.action {
        case .grant(let ttl, let holder):
            grant(lease: name, to: holder, for: ttl, request, effects: &effects)
        case .renew(let token):
            guard let index = held(name, under: token, request, effects: &effects) else { return }
            leases.renew(index, at: now)
            tellLeased(index, request, effects: &effects)
        case .release(let token):
            guard let index = held(name, under: token, request, effects: &effects) else { return }
            answer(request, .done, effects: &effects)
            endLease(index, .released, effects: &effects)
        case .transfer(let token, let holder, let ttl):
            guard let index = held(name, under: token, request, effects: &effects) else { return }
            note(.ended(leases.rows[index].holding, .transferred), of: .lease, name)
            let isKept = plant == .transferKeepsToken
            leases.transfer(
                index, to: holder, token: isKept ? token : FencingToken(version), ttl: ttl, at: now)
            note(.granted(leases.rows[index].holding), of: .lease, name)
            tellLeased(index, request, effects: &effects)
        }
    }

    private mutating func grant(
        lease name: ObjectName, to holder: String, for ttl: Interval, _ request: RequestReference,
        effects: inout [CoordinationEffect]
    ) {
        guard !grantsAreSuspended else {
            return refuse(request, .unavailable, Self.suspendedMessage, effects: &effects)
        }
        if let index = leases.index(of: name) {
            return answer(request, .leaseTaken(leases.rows[index].grant), effects: &effects)
        }
        guard hasRoomForObject else {
            return refuse(
                request, .quotaExceeded, Self.objectQuotaMessage(quotas.objects), effects: &effects)
        }
        let uid = sessions[request.session].process.uid
        guard uid == 0 || leases.count(ofUID: uid) < quotas.leasesPerUID else {
            let message =
                "user \(uid) has \(quotas.leasesPerUID) leases already: release some first"
            return refuse(request, .quotaExceeded, message, effects: &effects)
        }
        let lease = Lease(
            name: name, holder: holder, token: FencingToken(version), ttl: ttl, uid: uid, at: now)
        leases.insert(lease)
        note(.granted(lease.holding), of: .lease, name)
        answer(request, .leased(lease.grant), effects: &effects)
        effects.append(.leaseSet(lease.term))
    }

    /// A token is no secret, since resources are shown it: who may also do that is the user whose process
    /// was granted the lease. `nil`: it is not held under that token, or not to be touched, and that is
    /// answered.
    private mutating func held(
        _ name: ObjectName, under token: FencingToken, _ request: RequestReference,
        effects: inout [CoordinationEffect]
    ) -> Int? {
        if let index = leases.index(of: name), leases.rows[index].token == token {
            let owner = leases.rows[index].uid
            let uid = sessions[request.session].process.uid
            if uid == 0 || uid == owner { return index }
            let message =
                "lease \(name) is of uid \(owner): only that user's processes, and root's, may"
            refuse(request, .denied, message, effects: &effects)
            return nil
        }
        let now =
            leases.index(of: name).map { index in
                "\(leases.rows[index].holder) has it under token \(leases.rows[index].token)"
            } ?? "nobody has it"
        let message = "lease \(name) is not held under token \(token); \(now)"
        refuse(request, .notHeld, message, effects: &effects)
        return nil
    }

    private mutating func tellLeased(
        _ index: Int, _ request: RequestReference, effects: inout [CoordinationEffect]
    ) {
        answer(request, .leased(leases.rows[index].grant), effects: &effects)
        effects.append(.leaseSet(leases.rows[index].term))
    }

    /// A daemon's clock says that its time is over. What was renewed since is not over.
    mutating func expireLease(
        _ name: ObjectName, renewed: Version, effects: inout [CoordinationEffect]
    ) {
        guard let index = leases.index(of: name),
            leases.rows[index].renewed.version == renewed || plant == .renewalIgnored
        else { return }
        endLease(index, .expired, effects: &effects)
    }

    private mutating func endLease(
        _ index: Int, _ end: HoldingEnd, effects: inout [CoordinationEffect]
    ) {
        let name = leases.rows[index].name
        note(.ended(leases.rows[index].holding, end), of: .lease, name)
        leases.remove(index)
        effects.append(.leaseEnded(name))
    }

    mutating func endAllLeases(effects: inout [CoordinationEffect]) {
        guard plant != .leasesOutliveHistory else { return }
        for term in leases.terms {
            guard let index = leases.index(of: term.name) else { continue }
            endLease(index, .givenUp, effects: &effects)
        }
    }

    // MARK: - Reading

    package func leaseReport(_ name: ObjectName) -> LeaseReport? {
        leases.index(of: name).map(report(lease:))
    }

    private func report(lease index: Int) -> LeaseReport {
        let lease = leases.rows[index]
        return LeaseReport(
            grant: lease.grant, uid: lease.uid, since: lease.since, renewed: lease.renewed.time)
    }

    /// Those whose names begin with `prefix` and come after `after`, by name: as many as an answer
    /// has room for.
    package func leasePage(prefix: String, after: ObjectName? = nil) -> LeasePage {
        let (found, isWhole) = leases.names.page(
            prefix: prefix, after: after, maximum: ClientLimits.listedObjects)
        let reports = found.map(report(lease:))
        return LeasePage(
            version: version, leases: reports, next: isWhole ? nil : reports.last?.grant.name)
    }
}
