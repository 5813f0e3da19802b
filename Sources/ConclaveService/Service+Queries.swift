import ConclaveBase
import ConclaveCoordination
package import ConclaveWire

/// Questions that change nothing: about this daemon, and about locks, slots and barriers.
extension Service {
    static let subscriptionsPerConnection = 1_024
    /// What it costs to look at one object's name, in bytes sent.
    private static let costOfName = 8
    private static let costOfHistory = 16_384
    private static let costOfClaim = 64

    /// Whether `picture` is to be refreshed before this frame.
    package static func asksForPicture(_ frame: FrameBuffer.Frame) -> Bool {
        switch ClientFrameType(rawValue: frame.header.type) {
        case .status, .members, .views: true
        default: false
        }
    }

    mutating func query(
        _ type: ClientFrameType, _ frame: FrameBuffer.Frame, from id: ConnectionID,
        machine: Coordinator, now: Instant, effects: inout [ServiceEffect]
    ) throws(WireError) {
        var reader = ByteReader(frame.body)
        var writer = ByteWriter()
        let number = frame.header.number
        switch type {
        case .status:
            try reader.finish()
            status(machine: machine, now: now).encode(into: &writer)
        case .members:
            try reader.finish()
            writer.list(memberReports) { $0.encode(into: &$1) }
        case .views:
            let follows = try reader.flag("follow")
            try reader.finish()
            if follows, !followViews(number, id, effects: &effects) { return }
            return answer(.views(number: number, picture.views), to: id, effects: &effects)
        case .unsubscribe:
            let subscription: UInt64 = try reader.integer("number")
            try reader.finish()
            let subscriber = Subscriptions.Subscriber(connection: id, number: subscription)
            subscriptions.remove(subscriber)
            reads.remove(subscriber)
            keyWatchers.remove(subscriber)
            groupFollowers.remove(subscriber)
            leaderObservers.remove(subscriber)
        default: return
        }
        answer(type, number: number, to: id, writer.bytes, effects: &effects)
    }

    /// Returns what the answer costs, in bytes.
    mutating func answer(
        _ query: ObjectQuery, _ read: Reads.ID, machine: Coordinator, now: Instant,
        effects: inout [ServiceEffect]
    ) -> Int {
        var writer = ByteWriter()
        var cost = 0
        switch query.subject {
        case .locks(let prefix, let after):
            var page = machine.lockPage(prefix: prefix, after: after)
            page.objects = page.objects.map { remaining($0, now: now) }
            page.encode(into: &writer)
            cost = machine.objectCount * Self.costOfName
        case .why(let name):
            var report = machine.why(name, lookedAt: &cost)
            cost *= Self.costOfClaim
            report.objects = report.objects.map { remaining($0, now: now) }
            report.lease = report.lease.map { remaining($0, machine, now: now) }
            report.encode(into: &writer)
        case .lease(let name):
            let found = machine.leaseReport(name).map { [remaining($0, machine, now: now)] } ?? []
            LeasePage(version: machine.version, leases: found).encode(into: &writer)
        case .leases(let prefix, let after):
            var page = machine.leasePage(prefix: prefix, after: after)
            page.leases = page.leases.map { remaining($0, machine, now: now) }
            page.encode(into: &writer)
        case .latch(let name):
            let found = machine.latchReport(name).map { [$0] } ?? []
            LatchPage(version: machine.version, latches: found).encode(into: &writer)
        case .latches(let prefix, let after):
            machine.latchPage(prefix: prefix, after: after).encode(into: &writer)
        case .sessions(let after):
            var page = machine.sessionPage(after: after)
            for index in page.sessions.indices {
                let deadline = sessions[page.sessions[index].session]?.deadline
                page.sessions[index].remaining = deadline.map { max($0.since(now), .zero) }
            }
            page.encode(into: &writer)
            cost = machine.sessionCount * Self.costOfName
        case .history(let query):
            do throws(HistoryFault) {
                try machine.history(query).encode(into: &writer)
            } catch {
                refuse(
                    error.refusal(of: query.name.text), type: ClientFrameType.history.rawValue,
                    number: read.number, on: read.connection, effects: &effects)
            }
            // What is looked at, though not told.
            cost = Self.costOfHistory
            if writer.bytes.isEmpty { return cost }
        case .leader(let slot):
            guard mayWatch(read, .observeLeader, effects: &effects) else { return cost }
            beginObserving(slot, read)
            return cost
        }
        answer(
            query.type, number: read.number, to: read.connection, writer.bytes, effects: &effects)
        return max(cost, writer.bytes.count)
    }

    mutating func answer(
        _ type: ClientFrameType, number: UInt64, to id: ConnectionID, _ body: [UInt8],
        effects: inout [ServiceEffect]
    ) {
        guard body.count + FrameHeader.byteCount <= FrameHeader.maximumLength else {
            let message =
                "the answer does not fit a frame of \(FrameHeader.maximumLength) bytes; "
                + "ask for less, such as a longer prefix"
            return refuse(
                Refusal(.invalid, message), type: type.rawValue, number: number, on: id,
                effects: &effects)
        }
        send(type, .reply, number: number, to: id, effects: &effects) { $0.raw(body) }
    }

    private mutating func followViews(
        _ number: UInt64, _ id: ConnectionID, effects: inout [ServiceEffect]
    ) -> Bool {
        guard hasRoom(of: id, .views, number, effects: &effects) else { return false }
        let watch = Reads.ID(connection: id, number: number)
        guard mayWatch(watch, .views, effects: &effects) else { return false }
        subscriptions.add(watch, uid: uid(of: id))
        return true
    }

    private func status(machine: Coordinator, now: Instant) -> StatusReport {
        StatusReport(
            node: settings.own.node, lineage: picture.lineage, epoch: picture.view.epoch,
            rank: rank.map { UInt32($0.index) }, serving: serving,
            isDurable: settings.isDurable, members: memberReports, version: picture.version,
            age: lastConfirmed.map { now.since($0) },
            sessions: UInt32(clamping: machine.sessionCount),
            objects: UInt32(clamping: machine.objectCount), timing: timing,
            disturbances: disturbances.present(at: now))
    }

    private var timing: TimingReport {
        TimingReport(
            heartbeat: settings.heartbeat, suspicion: settings.suspicion, stall: settings.stall,
            minimumTTL: settings.minimumSessionTTL, maximumTTL: maximumSessionTTL)
    }

    private var memberReports: [MemberReport] {
        picture.members.map { node, state in
            let rank = picture.view.rank(of: node)
            let listed = picture.addresses.first { $0.node == node }?.address ?? []
            let address =
                listed.isEmpty
                ? settings.addresses[node] ?? "" : String(decoding: listed, as: UTF8.self)
            return MemberReport(
                node: node, address: address, state: state,
                rank: rank.map { UInt32($0.index) },
                incarnation: rank.map { picture.view.members[$0.index].incarnation.number })
        }
    }

    /// Fills in how long sessions attached here stay valid.
    private func remaining(_ report: ObjectReport, now: Instant) -> ObjectReport {
        var report = report
        report.holders = report.holders.map { remaining($0, now: now) }
        report.waiters = report.waiters.map { remaining($0, now: now) }
        return report
    }

    private func remaining(_ report: SessionReport, now: Instant) -> SessionReport {
        guard let deadline = sessions[report.session]?.deadline else { return report }
        var report = report
        report.remaining = max(deadline.since(now), .zero)
        return report
    }

    private func remaining(
        _ report: LeaseReport, _ machine: Coordinator, now: Instant
    ) -> LeaseReport {
        guard let term = machine.leaseTerm(report.grant.name) else { return report }
        var report = report
        report.remaining = leaseClocks.remaining(of: term, now: now)
        return report
    }

    // MARK: - Subscribers

    @inline(never)
    mutating func tellView(
        _ view: InstalledView, at: Timestamp, effects: inout [ServiceEffect]
    ) {
        let subscribers = subscriptions.all
        guard !subscribers.isEmpty else { return }
        var writer = ByteWriter()
        ViewReport(view: view, at: at).encode(into: &writer)
        for subscriber in subscribers {
            tell(writer.bytes, to: subscriber, effects: &effects)
        }
    }

    /// One who does not read what it follows is cut, and begins anew when it reads again.
    private mutating func tell(
        _ view: [UInt8], to subscriber: Subscriptions.Subscriber,
        effects: inout [ServiceEffect]
    ) {
        let id = subscriber.connection
        if connections[id]?.waitingByteCount ?? 0 <= Self.maximumBacklog {
            return send(.views, .event, number: subscriber.number, to: id, effects: &effects) {
                $0.raw(view)
            }
        }
        subscriptions.remove(subscriber)
        let refusal = Refusal(.unavailable, "resync: the client fell behind")
        send(
            .views, [.event, .error, .last], number: subscriber.number, to: id, effects: &effects
        ) { refusal.encode(into: &$0) }
    }
}

extension ViewReport {
    init(view: InstalledView, at: Timestamp) {
        self.init(
            epoch: view.view.epoch, at: at, members: view.view.members.map(\.node),
            joined: view.joined,
            departed: view.departed.map { departed in
                Departed(
                    node: departed.member.node, reason: departed.reason, by: departed.by,
                    silent: departed.silent)
            }, stateWasLost: view.stateWasLost, historyWasGivenUp: view.historyWasGivenUp)
    }
}
