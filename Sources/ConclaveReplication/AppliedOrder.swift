import ConclaveBase
import ConclaveGroup
import ConclaveWire

/// The applied part of the total order: the machine, and exactly where it stands.
///
/// Everything applied was delivered, so it lies on the one chain that every later view has (C3).
struct AppliedOrder<Machine: StateMachine> {
    private(set) var machine: Machine
    /// Of the last applied command or view.
    private(set) var version = Version.zero
    /// Never goes back.
    private(set) var time = Timestamp.zero
    /// The decided view whose epoch this is; nil: nothing was applied yet.
    private(set) var current: NextView?
    /// For each sender of that epoch, how many of its messages are applied.
    private(set) var delivered: [UInt64] = []
    private(set) var recent: RecentItems
    /// The newest views, the last one `current`.
    private(set) var views: [(view: InstalledView, at: Timestamp)] = []

    init(blank: Machine, recentByteCount: Int) {
        machine = blank
        recent = RecentItems(maximumByteCount: recentByteCount)
    }

    /// Applies one delivered message: each command in it gets the next version.
    mutating func apply(_ message: OrderedMessage, effects: inout [Machine.Effect]) {
        guard let current else { return }
        let record = JournalRecord(epoch: current.epoch, message: message)
        recent.append(.message(record), before: version)
        time = max(time, message.timestamp)
        delivered[message.sender] = message.ordinal + 1
        var reader = ByteReader(message.payload)
        while reader.remaining > 0 {
            // A payload that does not decode ends here on every member alike.
            guard let length: UInt32 = try? reader.integer("length"),
                let command = try? reader.part("command", count: Int(length))
            else { break }
            version = version.next
            machine.apply(command, at: version, time: time, effects: &effects)
        }
    }

    mutating func install(_ next: NextView, effects: inout [Machine.Effect]) {
        recent.append(.view(next), before: version)
        if next.era > version.era { version = Version(startOfEra: next.era) }
        version = version.next
        time = max(time, next.time)
        current = next
        delivered = Array(repeating: 0, count: next.members.count)
        machine.install(next.installed, at: version, time: time, effects: &effects)
        remember(next)
    }

    /// Begins again from nothing, after all state was lost (V26).
    mutating func reset(to blank: Machine) {
        machine = blank
        version = .zero
        time = .zero
        current = nil
        delivered = []
        recent.removeAll()
    }

    mutating func restore(_ snapshot: Snapshot) throws(WireError) {
        machine = try snapshot.decodeMachine()
        version = snapshot.version
        time = snapshot.time
        current = snapshot.current
        delivered = snapshot.delivered
        recent.removeAll()
        remember(snapshot.current)
    }

    var snapshot: Snapshot? {
        guard let current else { return nil }
        return Snapshot(
            current: current, delivered: delivered, version: version, time: time,
            machine: machine.encodeSnapshot())
    }

    private mutating func remember(_ next: NextView) {
        if views.count >= Self.maximumViews { views.removeFirst(views.count / 2) }
        views.append((next.installed, max(time, next.time)))
    }

    private static var maximumViews: Int { 512 }
}

/// Puts commands into one message's payload: a u32 length before each.
struct CommandBatch {
    private(set) var payload: [UInt8] = []

    static let overhead = 4

    mutating func append(_ command: [UInt8]) {
        var writer = ByteWriter(reserving: command.count + Self.overhead)
        writer.bytes(command)
        payload += writer.bytes
    }
}
