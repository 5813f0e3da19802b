import ConclaveBase
import ConclaveGroup
import ConclaveWire

/// The durable memory of views, promises and accepted values, in two copies in different files
/// (V29). It is small and has a lane of its own, so that a promise never waits for a segment.
///
/// Files are made anew one after the other, each with all that is to be remembered; so those with the
/// newest beginning count, and one that is older tells what was before. A record is written to both
/// files and synced in both, one after the other, before it counts; so one that is bad in one file is
/// taken from the other, and a missing one with a later one behind it is damage, unless the other file ends
/// before it and no record says that it counted: then neither of them ever did.
final class ViewJournal {
    static let files = ["views.a", "views.b"]

    private let owner: NodeID
    /// The same at each start: files are never shorter.
    private let smallestFile: Int
    private var sequence: UInt64
    /// The newest record that is known to be synced in both files; later ones are on their way.
    private var counted: UInt64 = 0
    private var onTheirWay: [(tag: UInt64, sequence: UInt64)] = []
    private var position = 0
    /// Of the smaller one, and of the next ones.
    private var fileByteCount = 0
    private var wantedByteCount: Int
    private(set) var memory = ViewMemory()
    /// Decided views since the newest snapshot, oldest first: their trims say what is delivered.
    private(set) var chain: [NextView] = []
    /// Goes with each record.
    var mark = JournalMark()
    /// Whether the last record told of it.
    var hasToldMark: Bool { mark == toldMark }
    private var toldMark = JournalMark()
    /// Copies that were not as they had been written. Each start makes both anew.
    private(set) var repairs: [(file: String, reason: String)] = []
    private var reserve: ViewJournalReserve
    /// In which order they are made anew: one that has all is the last, and what takes the place of the
    /// other one may go bad until then.
    private var order = files

    /// Reads both copies. `isBlank`: there were none.
    static func recover(
        from disk: any Disk, owner: NodeID, smallestFile: Int
    ) throws(FatalFault) -> (journal: ViewJournal, isBlank: Bool) {
        var copies: [ViewJournalCopy] = []
        for file in files {
            copies.append(
                try ViewJournalCopy(
                    file, on: disk, owner: owner, smallestFile: smallestFile, twin: copies.first))
        }
        let journal = ViewJournal(owner: owner, sequence: 0, smallestFile: smallestFile)
        journal.reserve.find(on: disk)
        guard !copies.allSatisfy(\.isMissing) else { return (journal, true) }
        try journal.replay(copies)
        return (journal, false)
    }

    private init(owner: NodeID, sequence: UInt64, smallestFile: Int) {
        self.owner = owner
        self.sequence = sequence
        self.smallestFile = smallestFile
        wantedByteCount = smallestFile
        reserve = ViewJournalReserve(smallestFile: smallestFile)
    }

    /// Begins behind all records of a journal that was damaged.
    convenience init(after lost: LostJournal, owner: NodeID, smallestFile: Int) {
        self.init(owner: owner, sequence: lost.lastSequence, smallestFile: smallestFile)
        remember(.lost(lost.loss))
    }

    private func replay(_ copies: [ViewJournalCopy]) throws(FatalFault) {
        guard let first = copies.compactMap(\.first).max() else {
            let faults = copies.map { "\($0.file): \($0.fault ?? "")" }.joined(separator: "; ")
            throw .damaged("view journal: both copies are bad: \(faults)")
        }
        for copy in copies {
            guard let fault = copy.fault, !copy.isMissing || first > 1 else { continue }
            repairs.append((copy.file, fault))
        }
        counted = copies.map(\.counted).max() ?? 0
        var bodies: [UInt64: [UInt8]] = [:]
        var olderIsWhole = false
        for copy in copies {
            if copy.first == first {
                bodies.merge(copy.bodies) { mine, _ in mine }
            } else {
                olderIsWhole = try replayOlder(copy, before: first)
            }
        }
        var newest = bodies.keys.max() ?? first - 1
        if let bad = (first..<newest + 1).first(where: { bodies[$0] == nil }) {
            if bad > counted, copies.contains(where: { $0.first == first && $0.isCleanAtItsEnd }) {
                bodies = bodies.filter { $0.key < bad }
                newest = bad - 1
            } else if olderIsWhole {
                bodies = [:]
            } else {
                throw .damaged("view journal: record \(bad) is bad in both copies")
            }
        }
        for number in bodies.keys.sorted() { try replay(bodies[number] ?? [], number: number) }
        sequence = newest
        let whole = copies.filter { $0.isWhole(from: first, to: newest) }
        // Behind the end of one there may be what is not counted: alone it would be taken for damage.
        if let whole = whole.last(where: \.isCleanAtItsEnd) ?? whole.last {
            order = Self.files.filter { $0 != whole.file } + [whole.file]
        }
    }

    /// A crash came between the making of the two files: until the second one is made anew it has all
    /// that counts. What the first one begins with says it again, and is not needed if it is bad there;
    /// but a bad record at its end would not be missed.
    ///
    /// - Returns: Whether all that counts was in it: nothing is missing between the two, or ever was behind
    ///   its end.
    private func replayOlder(
        _ copy: ViewJournalCopy, before first: UInt64
    ) throws(FatalFault) -> Bool {
        guard var number = copy.first else { return false }
        while number < first, let body = copy.bodies[number] {
            try replay(body, number: number)
            number += 1
        }
        return number == first || number > counted && copy.isCleanAtItsEnd
    }

    private func replay(_ body: [UInt8], number: UInt64) throws(FatalFault) {
        var reader = ByteReader(body)
        do {
            let entry = try ViewJournalFormat.Entry(from: &reader)
            if let record = entry.record { remember(record) }
            mark = entry.mark
            toldMark = mark
        } catch {
            throw .damaged("view journal: record \(number): \(error)")
        }
    }

    private func remember(_ record: ViewRecord) {
        let lineage = memory.lineage
        memory.apply(record)
        // What lies on the disk of another history says nothing of this one.
        if memory.lineage != lineage { mark = JournalMark() }
        if case .lost = record { chain = [] }
        if case .installed(let value, _) = record {
            if let last = chain.last, last.lineage != value.lineage { chain = [] }
            if value.epoch > chain.last?.epoch ?? .none { chain.append(value) }
        }
    }

    /// Knows a view from a snapshot that was sent: its own record may not have reached the disk
    /// after it. The next rewriting makes it durable.
    func takeUp(_ view: NextView, as own: Member) {
        guard view.epoch > memory.epoch else { return }
        remember(.installed(view, voteFrom: memory.voteFrom(knowing: view, as: own)))
    }

    /// Writes one record; `tag` completes when it is synced in both files.
    func append(_ record: ViewRecord, to disk: any Disk, tag: UInt64) {
        remember(record)
        write(record, to: disk, tag: tag)
    }

    /// Writes what is known to be on the disk, and nothing else.
    func appendMark(to disk: any Disk, tag: UInt64) {
        write(nil, to: disk, tag: tag)
    }

    private func write(_ record: ViewRecord?, to disk: any Disk, tag: UInt64) {
        toldMark = mark
        let entry = ViewJournalFormat.Entry(record, mark: mark, counted: counted)
        let bytes = entry.encode(sequence: sequence + 1)
        guard position + bytes.count <= fileByteCount else {
            // The new files follow what is in the old ones without a gap: none of it is missing then.
            return rewrite(on: disk, tag: tag)
        }
        sequence += 1
        onTheirWay.append((tag, sequence))
        for file in Self.files {
            disk.submit(.write(file, at: position, bytes: bytes), lane: .views, tag: 0)
        }
        for file in Self.files {
            disk.submit(.sync(file), lane: .views, tag: file == Self.files.last ? tag : 0)
        }
        position += bytes.count
    }

    /// Forgets views that a snapshot has made unnecessary, with the next rewriting.
    func forget(before epoch: Epoch) {
        chain.removeAll { $0.epoch < epoch && $0.epoch != memory.epoch }
    }

    /// Makes both files anew, one after the other, so that one is whole at any time.
    ///
    /// - Precondition: `tag` is not 0.
    func rewrite(on disk: any Disk, tag: UInt64) {
        toldMark = mark
        let bytes = beginFile()
        for file in order {
            let fresh = write(bytes, for: file, on: disk)
            disk.submit(.rename(fresh, to: file), lane: .views, tag: 0)
            let isLast = file == order.last
            disk.submit(.syncDirectory, lane: .views, tag: isLast ? tag : 0)
        }
        onTheirWay.append((tag, sequence))
        reserve.isUsedUp(until: tag)
    }

    /// Takes completions of records, of rewritings and of files in reserve, and has new ones of these made.
    /// The tag may be waited for by others as well.
    func completed(_ tag: UInt64, on disk: any Disk, nextTag: () -> UInt64) {
        if let place = onTheirWay.firstIndex(where: { $0.tag == tag }) {
            counted = onTheirWay[place].sequence
            onTheirWay.removeFirst(place + 1)
        }
        reserve.completed(tag, byteCount: wantedByteCount, on: disk, nextTag: nextTag)
    }

    /// Puts a new journal in the place of a damaged one, which is kept under names that no recovery
    /// reads. From the first new file on, every start knows of the loss, however far this came.
    func replace(_ lost: LostJournal, on disk: any Disk, tag: UInt64) {
        let bytes = beginFile()
        for file in Self.files {
            let fresh = write(bytes, for: file, on: disk)
            if lost.viewFiles.contains(file) {
                disk.submit(.rename(file, to: lost.asideName(file)), lane: .views, tag: 0)
            }
            disk.submit(.rename(fresh, to: file), lane: .views, tag: 0)
            disk.submit(.syncDirectory, lane: .views, tag: 0)
        }
        lost.setAside(on: disk, tag: tag)
        onTheirWay.append((tag, sequence))
        reserve.isUsedUp(until: tag)
    }

    /// All that is to be remembered, as the beginning of a new file.
    private func beginFile() -> [UInt8] {
        var bytes = ViewJournalFormat.header(owner: owner, first: sequence + 1)
        for record in summary {
            sequence += 1
            let entry = ViewJournalFormat.Entry(record, mark: mark, counted: counted)
            bytes += entry.encode(sequence: sequence)
        }
        position = bytes.count
        fileByteCount = .max
        wantedByteCount = max(smallestFile, Sector.roundUp(bytes.count * 2))
        return bytes
    }

    private func write(_ bytes: [UInt8], for file: String, on disk: any Disk) -> String {
        let fresh = reserve.write(bytes, of: wantedByteCount, for: file, on: disk)
        fileByteCount = min(fileByteCount, fresh.byteCount)
        return fresh.name
    }

    /// The whole memory in as few records as say it.
    private var summary: [ViewRecord] {
        var records: [ViewRecord] = []
        if let loss = memory.loss { records.append(.lost(loss)) }
        if let founding = memory.founding {
            records.append(.founding(founding.lineage, members: founding.members))
        }
        for value in chain where value.epoch < memory.epoch {
            records.append(.installed(value, voteFrom: memory.voteFrom))
        }
        return records
            + memory.summary.drop { record in
                switch record {
                case .lost, .founding: true
                default: false
                }
            }
    }
}
