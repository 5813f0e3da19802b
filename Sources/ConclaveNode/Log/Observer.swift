import ConclaveBase
import ConclaveFabric
import ConclaveGroup
import ConclaveWire
package import Logging

/// The only place where an event becomes a log line.
///
/// Levels: error, somebody must act; warning, degraded; notice, views and service; info,
/// lifecycle; debug, steps of the protocol and clients.
package struct Observer {
    package var logger: Logger

    package init(logger: Logger) {
        self.logger = logger
    }

    func observe(_ event: GroupEvent) {
        switch event {
        case .suspected(let node, let reason, let silent, let late):
            suspicion("member suspected", of: node, reason, silent, (LogKey.late, late))
        case .accused(let accuser, let node, let reason, let silent):
            suspicion("member accused", of: node, reason, silent, (LogKey.accuser, accuser))
        case .suspicionHeld(let node, let reason, let pause):
            pausing("a suspicion is held back: the last ones were wrong", node, pause, reason)
        case .wedged(let epoch): note(.info, "epoch ends", [(LogKey.epoch, epoch)])
        case .promised(let epoch, let ballot):
            note(.debug, "promised", [(LogKey.epoch, epoch), (LogKey.ballot, ballot)])
        case .proposed(let ballot, let value): proposed(value, in: ballot)
        case .accepted(let epoch, let ballot):
            note(.debug, "accepted", [(LogKey.epoch, epoch), (LogKey.ballot, ballot)])
        case .overtaken(let epoch, let ballot):
            note(
                .info, "a higher ballot goes on", [(LogKey.epoch, epoch), (LogKey.ballot, ballot)])
        case .installed(let view): installed(view)
        case .listed(let list, let epoch, let change): listed(list, in: epoch, after: change)
        case .changeWanted(let change, let node): wanted(change, through: node)
        case .removed(let epoch): note(.warning, "removed from the group", [(LogKey.epoch, epoch)])
        case .leftOut(let epoch): note(.warning, "left out of the view", [(LogKey.epoch, epoch)])
        case .withoutVote(let epoch):
            note(.notice, "no vote until a view was joined", [(LogKey.epoch, epoch)])
        case .waiting(let nodes, let purpose):
            note(
                .notice, "waiting for members",
                [(LogKey.members, list(nodes)), (LogKey.purpose, purpose.rawValue)])
        case .founding(let lineage):
            note(.notice, "the group is founded", [(LogKey.lineage, lineage)])
        case .joining(let node):
            note(.info, "joining", [(LogKey.node, node)])
        case .joinsLater(let pause, let count):
            pausing("left out again soon after joining", nil, pause, "\(count) times in a row")
        case .learning(let node, let whole):
            note(.info, "learning the state", [(LogKey.node, node), (LogKey.snapshot, whole)])
        case .teaching(let node, let withSnapshot):
            note(
                .info, "a member learns from this one",
                [(LogKey.node, node), (LogKey.snapshot, withSnapshot)])
        case .heldBack(let node, let pause):
            pausing("a member was not level in time to be let in", node, pause, nil)
        case .pathBroken(let node, let reason):
            note(.info, "path broken", [(LogKey.node, node), (LogKey.reason, reason)])
        case .refused(let node, let what):
            note(.warning, "member refused", [(LogKey.node, node), (LogKey.reason, what)])
        case .recovered(let epoch, let version, let count): recovered(epoch, version, count)
        case .snapshotWritten(let version, let count):
            note(.info, "snapshot written", [(LogKey.version, version), (LogKey.bytes, count)])
        case .journalSetAside(let reason):
            note(.error, "the journal is damaged and set aside", [(LogKey.reason, reason)])
        case .historyGivenUp(let old, let new, let epoch, let by):
            givenUp(old, for: new, in: epoch, by: by)
        case .viewJournalRepaired(let file, let reason): repaired(file, reason)
        case .diskFull(let file): note(.error, "the disk is full", [(LogKey.path, file)])
        case .diskHasRoom: note(.notice, "the disk has room again", [])
        case .stateDiffers(let node, let version): differs(node, version)
        case .stateDivided(let version): differs(nil, version)
        case .commandNotUnderstood(let version):
            note(
                .error, "a command of the group is not known here: it changed nothing",
                [(LogKey.version, version)])
        case .wallClockIsFar(let ahead): compared(ahead: ahead)
        case .wallClockIsNear: compared(ahead: nil)
        }
    }

    /// The wall clock with those of the other members; `nil`: it is near.
    private func compared(ahead: Interval?) {
        guard let ahead else { return note(.notice, "the wall clock is used again", []) }
        note(
            .warning,
            "the wall clock is far from those of the other members, whose median is used",
            [(LogKey.ahead, ahead)])
    }

    private func suspicion(
        _ sentence: Logger.Message, of node: NodeID, _ reason: DepartureReason,
        _ silent: Interval, _ fact: (String, Any)
    ) {
        note(
            .warning, sentence,
            [(LogKey.node, node), (LogKey.reason, reason), (LogKey.silent, silent), fact])
    }

    private func proposed(_ value: NextView, in ballot: Ballot) {
        note(
            .info, "next view proposed",
            [
                (LogKey.epoch, value.epoch), (LogKey.ballot, ballot),
                (LogKey.members, value.members.count),
            ])
    }

    private func recovered(_ epoch: Epoch, _ version: Version, _ messageCount: Int) {
        note(
            .info, "recovered from the journal",
            [(LogKey.epoch, epoch), (LogKey.version, version), (LogKey.messages, messageCount)])
    }

    private func givenUp(_ old: Lineage, for new: Lineage, in epoch: Epoch, by: String) {
        note(
            .warning, "the history was given up by hand: this member goes on alone in another one",
            [
                (LogKey.before, old), (LogKey.lineage, new), (LogKey.epoch, epoch),
                (LogKey.by, by),
            ])
    }

    private func repaired(_ file: String, _ reason: String) {
        note(
            .error, "a copy of the view journal was bad and is made anew: look at the disk",
            [(LogKey.path, file), (LogKey.reason, reason)])
    }

    /// `node`: whose state is not that of a majority; nil: there is no majority.
    private func differs(_ node: NodeID?, _ version: Version) {
        let sentence: Logger.Message =
            node == nil
            ? "the members' states differ and none has a majority: nothing is granted"
            : "a member's state differs from that of a majority: it is taken out"
        note(
            .error, sentence,
            [(LogKey.node, node?.description ?? ""), (LogKey.version, version)])
    }

    private func pausing(
        _ sentence: Logger.Message, _ node: NodeID?, _ pause: Interval, _ reason: Any?
    ) {
        var facts: [(String, Any)] = [(LogKey.pause, pause)]
        if let node { facts.append((LogKey.node, node)) }
        if let reason { facts.append((LogKey.reason, reason)) }
        note(.warning, sentence, facts)
    }

    private func wanted(_ change: MemberChange, through node: NodeID) {
        note(
            .notice, "a change of the members is wanted",
            [
                (LogKey.change, Self.text(of: change)), (LogKey.by, change.by),
                (LogKey.node, node),
            ])
    }

    /// Every view has its list; only a change of it is news.
    private func listed(_ list: MemberList, in epoch: Epoch, after change: MemberChange?) {
        guard let change else { return }
        note(
            .notice, "the members were changed",
            [
                (LogKey.change, Self.text(of: change)), (LogKey.by, change.by),
                (LogKey.epoch, epoch), (LogKey.members, self.list(list.nodes)),
            ])
    }

    private static func text(of change: MemberChange) -> String {
        switch change.action {
        case .add(let entry):
            "add \(entry.node) \(String(decoding: entry.address, as: UTF8.self))"
        case .remove(let node): "remove \(node)"
        }
    }

    private func installed(_ installed: InstalledView) {
        let departed = installed.departed.map { "\($0.member.node):\($0.reason)" }
        note(
            .notice, "view installed",
            [
                (LogKey.epoch, installed.view.epoch),
                (LogKey.members, list(installed.view.members.map(\.node))),
                (LogKey.joined, list(installed.joined)),
                (LogKey.departed, departed.joined(separator: ",")),
            ])
    }

    func observe(_ event: FabricEvent) {
        func tell(_ level: Logger.Level, _ sentence: Logger.Message, _ reason: Any? = nil) {
            var facts: [(String, Any)] = [(LogKey.address, event.address)]
            if let node = event.node { facts.append((LogKey.node, node)) }
            if let reason { facts.append((LogKey.reason, reason)) }
            if event.suppressedCount > 0 { facts.append((LogKey.alike, event.suppressedCount)) }
            note(level, sentence, facts)
        }
        switch event.what {
        case .refused(.numberTaken(let node, let kept, let other)):
            tell(
                .error, "two processes run as one node",
                FabricRefusal.numberTaken(node, kept: kept, other: other))
        case .numberTaken(let words):
            tell(.error, "another process runs under the number of this node", words)
        case .refused(let refusal): tell(.warning, "connection refused", refusal)
        case .refusedByPeer(let words): tell(.warning, "refused by the other end", words)
        case .broken(let fault): tell(.info, "connection given up", fault)
        case .lost(let error): tell(.info, "connection lost", error)
        case .strangerDropped(let fault): tell(.info, "stranger dropped", fault)
        case .dialFailed(let error): tell(.debug, "nobody is reached", error)
        case .replaced: tell(.info, "connection replaced by a new one")
        case .acceptFailed(let error): tell(.warning, "no connections are taken for now", error)
        case .controlTooLong(let count):
            tell(.error, "a control frame was too long and is dropped", "\(count) bytes")
        case .addressUnknown:
            tell(.warning, "a member's address is not numeric and not configured: it has to dial")
        }
    }

    func observe(_ event: NodeEvent) {
        switch event {
        case .started(let version, let settings):
            note(.info, "started", [(LogKey.version, version), (LogKey.settings, settings)])
        case .listening(let path, let isActivated):
            let sentence: Logger.Message =
                isActivated ? "listening on the socket that was passed" : "listening"
            note(.info, sentence, [(LogKey.path, path)])
        case .withoutGroup(let name):
            note(
                .warning, "no such group on this host: only this user and root may connect",
                [(LogKey.group, name)])
        case .serving(let isServing, let reason, let after):
            if isServing {
                // Nothing stands there after a start.
                note(.notice, "serving", [(LogKey.after, after?.description ?? "")])
            } else {
                note(.notice, "not serving", [(LogKey.reason, reason)])
            }
        case .stopping(let signal): note(.info, "stopping", [(LogKey.signal, signal)])
        case .stopped: note(.info, "stopped", [])
        case .disturbed(let disturbance?, let by):
            note(
                .warning, "disturbed by order",
                [
                    (LogKey.disturbance, "\(disturbance.kind)"),
                    (LogKey.duration, "\(disturbance.duration)"), (LogKey.by, by),
                ])
        case .disturbed(nil, let by):
            note(.warning, "what was disturbed by order is well again", [(LogKey.by, by)])
        case .settingsTaken(let keys):
            note(.info, "configuration taken", [(LogKey.keys, list(keys.map(\.rawValue)))])
        case .settingsNeedRestart(let keys):
            note(
                .warning, "settings that need a restart were not taken",
                [(LogKey.keys, list(keys.map(\.rawValue)))])
        case .settingsOfFounding(let keys):
            note(
                .warning, "settings that count at the founding of the group only were not taken",
                [(LogKey.keys, list(keys.map(\.rawValue)))])
        case .settingsRefused(let faults):
            for fault in faults {
                note(.error, "the configuration was not taken", [(LogKey.fault, fault)])
            }
        case .membersDiffer(let members, let configured):
            note(
                .notice, "the group has other members than the configuration, and counts",
                [(LogKey.members, list(members)), (LogKey.configured, list(configured))])
        case .acceptPaused(let reason):
            note(.warning, "no further clients are taken for now", [(LogKey.reason, reason)])
        case .clientConnected(let connection, let pid, let uid, let unit):
            note(
                .debug, "client connected",
                [
                    (LogKey.connection, connection), (LogKey.pid, pid), (LogKey.uid, uid),
                    (LogKey.unit, unit),
                ])
        case .clientClosed(let connection):
            note(.debug, "client closed", [(LogKey.connection, connection)])
        case .clientCut(let connection, let reason):
            note(.info, "client cut", [(LogKey.connection, connection), (LogKey.reason, reason)])
        case .processStopped(let pid, let session, let stop): stopped(pid, session, stop, nil)
        case .processNotStopped(let pid, let session, let stop, let reason):
            stopped(pid, session, stop, reason)
        case .late(let interval):
            note(.warning, "the loop was late", [(LogKey.late, interval)])
        }
    }

    /// `reason`: why not.
    private func stopped(
        _ pid: UInt32, _ session: SessionID, _ stop: ProcessStop, _ reason: String?
    ) {
        let sentence: Logger.Message =
            if reason != nil {
                "a process that is to lose what it holds cannot be stopped"
            } else if stop == .freeze {
                "a process stands still before it loses what it holds: SIGCONT lets it go on"
            } else {
                "a process is stopped before it loses what it holds"
            }
        note(
            reason == nil ? .warning : .error, sentence,
            [
                (LogKey.pid, pid), (LogKey.session, session), (LogKey.signal, stop.name),
                (LogKey.reason, reason ?? ""),
            ])
    }

    private func note(
        _ level: Logger.Level, _ sentence: Logger.Message,
        _ facts: @autoclosure () -> [(key: String, value: Any)]
    ) {
        guard level >= logger.logLevel else { return }
        var metadata: Logger.Metadata = [:]
        for fact in facts() {
            let text = "\(fact.value)"
            if !text.isEmpty { metadata[fact.key] = "\(text)" }
        }
        logger.log(level: level, sentence, metadata: metadata)
    }

    private func list(_ values: [some CustomStringConvertible]) -> String {
        values.map(\.description).joined(separator: ",")
    }
}
