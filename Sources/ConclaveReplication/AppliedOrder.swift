import ConclaveBase
import ConclaveGroup
import ConclaveWire

/// The applied part of the total order: the machine, and exactly where it stands.
///
/// Everything applied was delivered, so it lies on the one chain that every later view has (C3).
struct AppliedOrder<Machine: StateMachine> {
    /// Of the last applied command or view.
    private(set) var version = Version.zero
    /// Never goes back.
    private(set) var time = Timestamp.zero
    /// The decided view whose epoch this is; nil: nothing was applied yet.
    private(set) var current: NextView? {
        didSet { isAdequate = current?.installed.isAdequate ?? false }
    }
    /// Of `current`, as a plain fact, since every turn asks: it has enough members.
    private(set) var isAdequate = false
    /// For each sender of that epoch, how many of its messages are applied.
    private(set) var delivered: [UInt64] = []
    private(set) var recent: RecentItems
    /// The newest views, the last one `current`.
    private(set) var views: [(view: InstalledView, at: Timestamp)] = []
    /// The members' states differ, and none has a majority: no command is applied any more.
    private(set) var isDivided = false
    private let plant: Plant?

    private let digestPace: DigestPace?
    /// This member makes the digests that fall due.
    var makesDigests = false
    private var votes = DigestVotes(memberCount: 0)
    private var verdicts: [OrderVerdict] = []
    /// The state at the last version of which a digest is due, until it is taken.
    private var dueDigest: DigestSource<Machine>?
    /// Behind everything else, so that every turn finds that where it is whatever the machine.
    private(set) var machine: Machine

    /// What members that are taught still need is kept, from that number on; `nil`: nobody is taught.
    mutating func keepRecent(from number: UInt64?) {
        recent.needed = number
    }

    init(
        blank: Machine, recentByteCount: Int, digestPace: DigestPace? = nil, plant: Plant? = nil
    ) {
        self.plant = plant
        machine = blank
        recent = RecentItems(maximumByteCount: recentByteCount)
        self.digestPace = digestPace
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
                let command = try? reader.part(
                    "command", count: Int(length & ~CommandBatch.wordFlag))
            else { break }
            if length & CommandBatch.wordFlag != 0 {
                take(command, from: message.sender)
            } else if !isDivided {
                version = version.next
                machine.apply(command, at: version, time: time, effects: &effects)
                freezeIfDue()
            }
        }
    }

    private mutating func freezeIfDue() {
        guard makesDigests, let digestPace, dueDigest == nil,
            digestPace.isDue(at: version, rowCount: machine.rowCount)
        else { return }
        dueDigest = DigestSource(version, of: machine)
    }

    private mutating func take(_ word: ByteReader, from sender: Int) {
        var reader = word
        guard let current, case .digest(let version, let digest)? = try? ReplicaWord(from: &reader)
        else { return }
        for verdict in votes.note(digest, at: version, from: sender) {
            switch verdict {
            case .differs(let rank, let version):
                verdicts.append(.differs(current.members[rank], version))
            case .divided(let version):
                isDivided = true
                verdicts.append(.divided(version))
            }
        }
    }

    var hasDueDigest: Bool { dueDigest != nil }

    mutating func takeDueDigest() -> DigestSource<Machine>? {
        defer { dueDigest = nil }
        return dueDigest
    }

    mutating func takeVerdicts() -> [OrderVerdict] {
        guard !verdicts.isEmpty else { return [] }
        defer { verdicts.removeAll() }
        return verdicts
    }

    /// For the simulator: something went wrong with this member's state.
    mutating func corrupt(_ body: (inout Machine) -> Void) {
        body(&machine)
    }

    mutating func install(_ next: NextView, effects: inout [Machine.Effect]) {
        recent.append(.view(next), before: version)
        if next.era > version.era { version = Version(startOfEra: next.era, at: next.time) }
        version = version.next
        time = max(time, next.time)
        current = next
        delivered = Array(repeating: 0, count: next.members.count)
        votes = DigestVotes(memberCount: next.members.count)
        dueDigest = nil
        machine.install(next.installed, at: version, time: time, effects: &effects)
        remember(next)
    }

    /// Goes on in another history: what was received of the one before, and then its first view, are
    /// applied under versions of that view's era. What was given up may have used all others, and a
    /// token must not be given out twice (C6).
    mutating func goOn(
        with messages: [OrderedMessage], to next: NextView, effects: inout [Machine.Effect]
    ) {
        isDivided = false
        version = max(version, Version(startOfEra: next.era, at: next.time))
        for message in messages { apply(message, effects: &effects) }
        verdicts = []
        isDivided = false
        install(next, effects: &effects)
        // Learners of the new history are not taught the old one.
        recent.removeAll(at: version)
    }

    /// Begins again from nothing, after all state was lost (V26).
    mutating func reset(to blank: Machine) {
        machine = blank
        version = .zero
        time = .zero
        current = nil
        delivered = []
        votes = DigestVotes(memberCount: 0)
        isDivided = false
        dueDigest = nil
        recent.removeAll()
    }

    mutating func restore(_ header: SnapshotHeader, _ machine: Machine) {
        self.machine = machine
        version = header.version
        time = header.time
        current = header.current
        delivered = header.delivered
        votes = DigestVotes(memberCount: header.current.members.count)
        // No divided group tells its state: what this member found before is over.
        isDivided = false
        dueDigest = nil
        recent.removeAll(at: version)
        remember(header.current)
    }

    /// The state as it is now, to be told in pieces. None of a divided group: which one is right
    /// must be found out first.
    func snapshot() -> SnapshotSource<Machine>? {
        guard let current, !isDivided || plant == .dividedIsTold else { return nil }
        let header = SnapshotHeader(
            current: current, delivered: delivered, version: version, time: time)
        return SnapshotSource(header, of: machine)
    }

    private mutating func remember(_ next: NextView) {
        if views.count >= Self.maximumViews { views.removeFirst(views.count / 2) }
        views.append((next.installed, max(time, next.time)))
    }

    private static var maximumViews: Int { 512 }
}

/// What was found at a point of the order about the members' states.
enum OrderVerdict: Equatable {
    case differs(Member, Version)
    case divided(Version)
}

/// Puts commands into one message's payload: a u32 length before each. A length with the highest
/// bit set stands before a word of the replica's own.
struct CommandBatch {
    private var writer = ByteWriter()

    var payload: [UInt8] { writer.bytes }
    var byteCount: Int { writer.bytes.count }

    static let overhead = 4
    static let wordFlag: UInt32 = 1 << 31

    mutating func append(_ word: ReplicaWord) {
        let bytes = word.bytes
        writer.integer(UInt32(bytes.count) | Self.wordFlag)
        writer.raw(bytes)
    }

    mutating func append(_ command: [UInt8]) {
        writer.bytes(command)
    }
}
