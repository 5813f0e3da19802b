import Foundation
import TestSupport

/// Makes things go wrong on hosts, and puts them right again.
///
/// What is wrong follows from the faults that last: when one of them ends, what another one still
/// needs stays as it is.
final class HostFaults {
    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    private struct Lasting {
        var fault: HostFault
        var end: Date
    }

    /// Within which the members are in one view after the last fault.
    private static let expectedSeconds = 5.0
    /// What is added to that where more processes want to run than there are processors.
    private static let slackOfBusyMachine = 10.0

    private let hosts: Hosts
    private let group: Group
    private let clients: HostClients
    private var schedule: HostSchedule
    private let began = Date()
    private var lasting: [Lasting] = []
    private var condition = HostCondition()
    private var nodes: ClosedRange<Int> { 1...group.count }
    private(set) var count = 0

    init(_ hosts: Hosts, _ group: Group, _ clients: HostClients, seed: UInt64) {
        self.hosts = hosts
        self.group = group
        self.clients = clients
        schedule = HostSchedule(seed: seed, members: hosts.count)
    }

    func say(_ text: String) {
        let seconds = Date().timeIntervalSince(began)
        print("\(String(format: "%7.2f", seconds)) s  \(text)")
    }

    // MARK: - Running

    /// Faults for so long, some at the same time; all is healed at the end.
    func run(seconds: Double) throws {
        let end = Date(timeIntervalSinceNow: seconds)
        while Date() < end {
            let entry = schedule.next()
            try pass(entry.pause)
            if entry.fault.comesAlone {
                try heal()
                try waitForOneView()
            }
            try begin(entry)
            if entry.fault.comesAlone {
                try pass(entry.duration + 0.1)
                try waitForOneView()
            }
        }
        try heal()
    }

    private func begin(_ entry: HostSchedule.Entry) throws {
        count += 1
        let length = String(format: "%.1f", entry.duration)
        say("\(entry.fault)" + (entry.fault.lasts ? ", for \(length) s" : ""))
        lasting.append(
            Lasting(fault: entry.fault, end: Date(timeIntervalSinceNow: entry.duration)))
        try reconcile()
        switch entry.fault {
        case .clientsKilled(let node): try clients.replace(at: node)
        case .journalDamaged(let node): try damageJournal(of: node)
        default: break
        }
    }

    private func pass(_ seconds: Double) throws {
        let end = Date(timeIntervalSinceNow: seconds)
        while Date() < end {
            try turn()
            Thread.sleep(forTimeInterval: 0.02)
        }
    }

    private func turn() throws {
        let now = Date()
        if lasting.contains(where: { $0.end <= now }) {
            lasting.removeAll { $0.end <= now }
            try reconcile()
        }
        try expectRunning()
    }

    /// Ends everything that is wrong.
    func heal() throws {
        lasting.removeAll()
        try reconcile()
        try expectRunning()
        say("healed")
    }

    /// Waits until every member serves in the same view of all.
    ///
    /// Fails if that takes longer than it should.
    func waitForOneView() throws {
        let began = Date()
        let slack = Self.isMachineBusy ? Self.slackOfBusyMachine : 0
        while true {
            try turn()
            let missing = try nodes.filter { !(try group.isServing($0, members: group.count)) }
            if missing.isEmpty, Set(try nodes.map(group.epoch(of:))).count == 1 { break }
            guard Date().timeIntervalSince(began) < Self.expectedSeconds + slack else {
                print(try group.run("views", []).output)
                throw Failure(
                    description: "\(missing) are not in one view of all within "
                        + "\(Self.expectedSeconds + slack) s")
            }
            Thread.sleep(forTimeInterval: 0.02)
        }
        let took = Date().timeIntervalSince(began)
        say("all in one view after \(String(format: "%.2f", took)) s")
    }

    /// As it was in the last minute.
    private static var isMachineBusy: Bool {
        var loads = [0.0]
        guard getloadavg(&loads, 1) == 1 else { return false }
        return loads[0] > Double(ProcessInfo.processInfo.processorCount)
    }

    // MARK: - From one condition to the next

    private func reconcile() throws {
        let wanted = HostCondition(lasting.map(\.fault), nodes: nodes)
        for way in wanted.cutWays.subtracting(condition.cutWays).sorted() {
            try hosts.cut(from: way.sender, to: way.receiver)
        }
        for way in condition.cutWays.subtracting(wanted.cutWays).sorted() {
            try hosts.mend(from: way.sender, to: way.receiver)
        }
        try setLinks(from: condition.linksDown, to: wanted.linksDown, atBridge: false)
        try setLinks(
            from: condition.linksDownAtBridge, to: wanted.linksDownAtBridge, atBridge: true)
        for node in wanted.fullDisks.subtracting(condition.fullDisks).sorted() {
            try hosts.fillDisk(of: node)
        }
        for node in condition.fullDisks.subtracting(wanted.fullDisks).sorted() {
            try hosts.emptyDisk(of: node)
        }
        // What ended by itself just before would else be taken for killed.
        try expectRunning()
        for node in wanted.down.subtracting(condition.down).sorted() { group.kill(node) }
        let ended = condition.down.subtracting(wanted.down).sorted()
        let before = condition.paused
        condition = wanted
        for node in ended { try group.start(node) }
        for node in nodes where !wanted.down.contains(node) {
            if wanted.paused.contains(node) {
                if !before.contains(node) || ended.contains(node) { send(SIGSTOP, to: node) }
            } else if before.contains(node) {
                send(SIGCONT, to: node)
            }
        }
    }

    private func setLinks(from before: Set<Int>, to after: Set<Int>, atBridge: Bool) throws {
        for node in after.subtracting(before).sorted() {
            try hosts.setLink(of: node, isUp: false, atBridge: atBridge)
        }
        for node in before.subtracting(after).sorted() {
            try hosts.setLink(of: node, isUp: true, atBridge: atBridge)
        }
    }

    private func send(_ signal: Int32, to node: Int) {
        try? group.daemon(node).send(signal)
    }

    // MARK: - Daemons and their disks

    /// Nothing of all this may end a daemon: a full disk waits for room, and a damaged journal is set
    /// aside.
    private func expectRunning() throws {
        for node in nodes where !condition.down.contains(node) {
            let daemon = try group.daemon(node)
            guard !daemon.isRunning else { continue }
            let status = try daemon.end().status
            throw Failure(
                description: "daemon \(node) ended by itself, with \(status): \(daemon.errors)")
        }
    }

    /// Changes one bit of what was written; the rest of a file is zeros.
    private func damageJournal(of node: Int) throws {
        let folder = group.data(node) + "/journal"
        let names = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
        let name = names[schedule.number(below: names.count)]
        let file = try FileHandle(forUpdating: URL(filePath: "\(folder)/\(name)"))
        defer { try? file.close() }
        let bytes = [UInt8](try file.readToEnd() ?? Data())
        let written = bytes.indices.filter { bytes[$0] != 0 }
        guard !written.isEmpty else { return say("\(name) of \(node) is empty") }
        let offset = written[schedule.number(below: written.count)]
        try file.seek(toOffset: UInt64(offset))
        try file.write(contentsOf: [bytes[offset] ^ UInt8(1 << schedule.number(below: 8))])
        say("byte \(offset) of \(name) of \(node) is another one")
    }
}
