import ConclaveBase
import ConclaveGroup
import ConclaveWire
import Testing

@testable import ConclaveReplication

@Suite struct `The view journal` {
    private let disk = MemoryDisk()

    private func journal() throws -> ViewJournal {
        try ViewJournal.recover(
            from: disk, owner: node, smallestFile: 64 * 1_024
        ).journal
    }

    private func promise(_ round: UInt64) -> ViewRecord {
        .promise(Epoch(1), Ballot(round: round, rank: Rank(0)))
    }

    /// A founding, view 1 and three promises. The first one makes the files, which begin with a
    /// summary; a promise takes a sector.
    ///
    /// - Parameter isKnown: Each record is written when the one before is known to be synced.
    private func written(isKnown: Bool = false) throws -> ViewJournal {
        let journal = try journal()
        var nextTag = 100 as UInt64
        func append(_ record: ViewRecord, tag: UInt64) {
            journal.append(record, to: disk, tag: tag)
            guard isKnown else { return }
            disk.run()
            journal.completed(tag, on: disk) {
                nextTag += 1
                return nextTag
            }
        }
        append(.founding(lineage, members: [node]), tag: 1)
        append(.installed(view(1), voteFrom: Epoch(1)), tag: 2)
        for round in 1...3 as ClosedRange<UInt64> { append(promise(round), tag: 2 + round) }
        disk.run()
        return journal
    }

    /// Where the record of that promise begins in a file.
    private func sector(of round: UInt64) throws -> Int {
        let last = 3 as UInt64
        let bytes = try #require(disk.files["views.a"])
        let used = bytes.lastIndex { $0 != 0 } ?? 0
        return (used / 512 - Int(last - round)) * 512
    }

    /// Makes the files anew, and loses power when one of them is; returns which.
    private func crashBetween(_ journal: ViewJournal, tag: UInt64) throws -> String {
        let before = disk.files
        journal.rewrite(on: disk, tag: tag)
        #expect(disk.run(5).isEmpty)
        disk.crash()
        return try #require(ViewJournal.files.first { disk.files[$0] != before[$0] })
    }

    private func damage(_ file: String, at offset: Int) {
        disk.change(file) { $0[offset + 40] ^= 0x20 }
    }

    @Test func `nothing on the disk is blank, not damaged`() throws {
        let (journal, isBlank) = try ViewJournal.recover(
            from: disk, owner: node, smallestFile: 64 * 1_024)
        #expect(isBlank)
        #expect(journal.memory == ViewMemory())
    }

    @Test func `what was written is read back`() throws {
        let before = try written()
        #expect(disk.completed == [1, 2, 3, 4, 5])
        let after = try journal()
        #expect(after.memory == before.memory)
        #expect(after.chain == before.chain)
        #expect(after.memory.promised.round == 3)
    }

    @Test(arguments: ViewJournal.files, 1...3 as ClosedRange<UInt64>)
    func `V29: a record that is bad in one file is taken from the other`(
        file: String, round: UInt64
    ) throws {
        let before = try written()
        damage(file, at: try sector(of: round))
        #expect(try journal().memory == before.memory)
    }

    @Test func `V29: each file may have its own bad record`() throws {
        let before = try written()
        damage("views.a", at: try sector(of: 1))
        damage("views.b", at: try sector(of: 2))
        #expect(try journal().memory == before.memory)
    }

    @Test(arguments: ViewJournal.files)
    func `a file whose header is bad, or which is gone, is not needed`(file: String) throws {
        let before = try written()
        damage(file, at: -16)
        #expect(try journal().memory == before.memory)
        disk.remove(file)
        #expect(try journal().memory == before.memory)
    }

    @Test func `a file that was cut is not believed, though its header is whole`() throws {
        let before = try written()
        disk.change("views.a") { $0.removeSubrange(512...) }
        #expect(try journal().memory == before.memory)
        disk.change("views.b") { $0.removeSubrange(96...) }
        #expect(throws: FatalFault.self) { try journal() }
    }

    /// Changes a header in both files so that only its meaning is wrong.
    private func rewriteHeaders(first: UInt64) {
        for file in ViewJournal.files {
            disk.change(file) { bytes in
                var writer = ByteWriter()
                writer.integer(first)
                bytes.replaceSubrange(30..<38, with: writer.bytes)
                writer = ByteWriter()
                writer.integer(Checksum.of(bytes[8..<38]))
                bytes.replaceSubrange(4..<8, with: writer.bytes)
            }
        }
    }

    @Test(arguments: [0, 9, 1 << 62, .max] as [UInt64])
    func `a header that begins after its records, or beyond all numbers, is damage`(
        first: UInt64
    ) throws {
        _ = try written()
        rewriteHeaders(first: first)
        #expect(throws: FatalFault.self) { try journal() }
    }

    @Test func `a header that is bad in both files is damage`() throws {
        _ = try written()
        for file in ViewJournal.files { damage(file, at: -16) }
        #expect(throws: FatalFault.self) { try journal() }
    }

    @Test func `V30: a record that is bad in both with a later one behind it is damage`() throws {
        _ = try written()
        for file in ViewJournal.files { damage(file, at: try sector(of: 2)) }
        #expect(throws: FatalFault.damaged("view journal: record 4 is bad in both copies")) {
            try journal()
        }
    }

    @Test(arguments: ViewJournal.files, [true, false])
    func `V30: a record that is bad where the other file ends before it never counted`(
        file: String, hasTornRecord: Bool
    ) throws {
        let before = try written()
        let (second, third) = (try sector(of: 2), try sector(of: 3))
        let other = ViewJournal.files.first { $0 != file }!
        disk.change(other) { bytes in
            for place in second..<third + 512 { bytes[place] = 0 }
            if hasTornRecord { bytes[third + 40] = 1 }
        }
        damage(file, at: second)
        guard !hasTornRecord else {
            #expect(throws: FatalFault.self) { try journal() }
            return
        }
        let after = try journal()
        #expect(after.memory.promised.round == 1)
        #expect(after.memory.epoch == before.memory.epoch)
        #expect(after.repairs.map(\.file) == [file])
    }

    @Test func `a last record that was not written whole never counted`() throws {
        _ = try written()
        for file in ViewJournal.files { damage(file, at: try sector(of: 3)) }
        #expect(try journal().memory.promised.round == 2)
    }

    /// Every place at which a crash can cut the rewriting of the two files.
    @Test(arguments: 0...10)
    func `one file is whole at any moment of the rewriting`(operations: Int) throws {
        let before = try written()
        before.rewrite(on: disk, tag: 9)
        disk.run(operations)
        disk.crash()
        let after = try journal()
        #expect(after.memory == before.memory)
        // And again, after the next start has begun to do the same.
        after.rewrite(on: disk, tag: 10)
        disk.run(10 - operations)
        disk.crash()
        #expect(try journal().memory == before.memory)
    }

    @Test func `a record only counts when it is synced in both files`() throws {
        let journal = try written()
        journal.append(promise(7), to: disk, tag: 77)
        #expect(disk.run(3).isEmpty)
        #expect(disk.run(1) == [77])
    }

    @Test func `a full file is made anew with all that is remembered`() throws {
        let journal = try written()
        for round in 4...400 as ClosedRange<UInt64> {
            journal.append(promise(round), to: disk, tag: round)
            disk.run()
        }
        #expect(disk.completed.last == 400)
        let after = try self.journal()
        #expect(after.memory == journal.memory)
        #expect(after.memory.promised.round == 400)
        #expect(after.memory.founding?.lineage == lineage)
    }

    /// The last record is a bad one of a synced file, and no record behind it shows that.
    @Test func `V29: what a crash left of a file made anew is not all that counts`() throws {
        let journal = try written()
        journal.rewrite(on: disk, tag: 9)
        #expect(disk.run(5).isEmpty)
        disk.crash()
        let bytes = try #require(disk.files["views.a"])
        #expect(bytes != disk.files["views.b"])
        damage("views.a", at: (bytes.lastIndex { $0 != 0 } ?? 0) / 512 * 512)
        #expect(try self.journal().memory == journal.memory)
        #expect(try self.journal().memory.promised.round == 3)
    }

    /// A crash came between the two files, and a sector of the one that was made anew goes bad: the
    /// older one has all that counts.
    @Test(arguments: 0...6)
    func `V29: one bad file is not missed while it is the only new one`(sector: Int) throws {
        let journal = try written()
        journal.rewrite(on: disk, tag: 9)
        #expect(disk.run(5).isEmpty)
        disk.crash()
        #expect(disk.files["views.a"] != disk.files["views.b"])
        damage("views.a", at: sector * 512)
        #expect(try self.journal().memory == journal.memory)
    }

    /// The same, where a record found no room: the new file says it, and nobody was told that it counts.
    @Test(arguments: 1...6)
    func `V29: one bad file is not missed while it is the only new one of a full journal`(
        sector: Int
    ) throws {
        let journal = try written()
        var round = 3 as UInt64
        while !disk.isRenaming {
            disk.run()
            round += 1
            journal.append(promise(round), to: disk, tag: round)
        }
        while disk.files["views.a"] == disk.files["views.b"] {
            try #require(disk.run(1).isEmpty)
        }
        disk.crash()
        damage("views.a", at: sector * 512)
        let found = try self.journal().memory
        #expect([round - 1, round].contains(found.promised.round))
        #expect(found.current == journal.memory.current)
    }

    /// Of the last record, which was written to one of them only, nothing is known any more if that one is
    /// made anew first and goes bad.
    @Test(arguments: ViewJournal.files, 1...6)
    func `V29: the copy that lacks the end is made anew first`(file: String, sector: Int) throws {
        let before = try written()
        let end = try #require(disk.files[file]).lastIndex { $0 != 0 } ?? 0
        damage(file, at: end / 512 * 512)
        let journal = try self.journal()
        journal.rewrite(on: disk, tag: 9)
        #expect(disk.run(5).isEmpty)
        disk.crash()
        damage(file, at: sector * 512)
        #expect(try self.journal().memory == before.memory)
    }

    /// What never counted, after a bad record in one copy, would be taken for damage without the other.
    @Test(arguments: ViewJournal.files, 1...6)
    func `V29: the copy with something behind its end is made anew first`(
        file: String, place: Int
    ) throws {
        _ = try written()
        let (second, third) = (try sector(of: 2), try sector(of: 3))
        disk.change(ViewJournal.files.first { $0 != file }!) { bytes in
            for index in second..<third + 512 { bytes[index] = 0 }
        }
        damage(file, at: second)
        let journal = try self.journal()
        #expect(journal.memory.promised.round == 1)
        damage(try crashBetween(journal, tag: 9), at: place * 512)
        #expect(try self.journal().memory == journal.memory)
    }

    /// The last record reached only the copy that is made anew, and so did not count.
    @Test(arguments: 1...6)
    func `V29: an older copy that ends before the last record has all that counts`(
        place: Int
    ) throws {
        let before = try written()
        let third = try sector(of: 3)
        damage("views.a", at: try sector(of: 1))
        disk.change("views.b") { bytes in
            for index in third..<third + 512 { bytes[index] = 0 }
        }
        let journal = try self.journal()
        #expect(journal.memory == before.memory)
        journal.rewrite(on: disk, tag: 9)
        #expect(disk.run(5).isEmpty)
        disk.crash()
        damage("views.a", at: place * 512)
        let found = try self.journal().memory
        #expect([2, 3].contains(found.promised.round))
        #expect(found.current == before.memory.current)
    }

    /// Two faults: a promise counted, and is bad in one file, while the other was cut before it.
    @Test(arguments: ViewJournal.files)
    func `C1: a record that counted is missed, though the other file seems to end before it`(
        file: String
    ) throws {
        _ = try written(isKnown: true)
        let second = try sector(of: 2)
        let other = ViewJournal.files.first { $0 != file }!
        disk.change(other) { bytes in
            for index in second..<bytes.count { bytes[index] = 0 }
        }
        damage(file, at: second)
        #expect(throws: FatalFault.self) { try journal() }
    }

    /// One crash after the other comes between the two files.
    @Test(arguments: 1...6)
    func `V29: the older copy is made anew first`(sector: Int) throws {
        var journal = try written()
        for tag in 8...11 as ClosedRange<UInt64> {
            journal.rewrite(on: disk, tag: tag)
            #expect(disk.run(5).isEmpty)
            disk.crash()
            journal = try self.journal()
        }
        damage(try crashBetween(journal, tag: 12), at: sector * 512)
        #expect(try self.journal().memory == journal.memory)
    }

    @Test func `V30: a file that is older and lacks its end says nothing against a bad newer one`()
        throws
    {
        let journal = try written()
        journal.rewrite(on: disk, tag: 9)
        #expect(disk.run(5).isEmpty)
        disk.crash()
        let used = try #require(disk.files["views.a"]).lastIndex { $0 != 0 } ?? 0
        let old = try #require(disk.files["views.b"]).lastIndex { $0 != 0 } ?? 0
        damage("views.a", at: used / 512 * 512 - 512)
        damage("views.b", at: old / 512 * 512)
        #expect(throws: FatalFault.self) { try self.journal() }
    }

    @Test func `views are kept until a snapshot covers them, the newest for ever`() throws {
        let journal = try written()
        for epoch in 2...5 as ClosedRange<UInt64> {
            let next = view(epoch, trim: [epoch, epoch])
            journal.append(.installed(next, voteFrom: Epoch(1)), to: disk, tag: epoch)
        }
        journal.forget(before: Epoch(4))
        journal.rewrite(on: disk, tag: 99)
        disk.run()
        let after = try self.journal()
        #expect(after.chain.map(\.epoch) == [Epoch(4), Epoch(5)])
        #expect(after.memory == journal.memory)
    }

    @Test func `a journal of another node is refused`() throws {
        _ = try written()
        #expect(throws: FatalFault.foreignData("view journal: of node 1, not of 2")) {
            try ViewJournal.recover(
                from: disk, owner: NodeID(2), smallestFile: 64 * 1_024)
        }
    }

    @Test(arguments: 1...40 as ClosedRange<UInt64>)
    func `garbage is damage or the same memory, never a trap`(seed: UInt64) throws {
        let before = try written()
        var random = SeededRandom(seed: seed)
        for file in ViewJournal.files {
            disk.change(file) { bytes in
                for _ in 0..<random.below(6) {
                    bytes[Int(random.below(4_096))] = UInt8(truncatingIfNeeded: random.next())
                }
                if random.chance(perMille: 200) {
                    bytes.removeLast(bytes.count - Int(random.below(4_096)))
                }
            }
        }
        do {
            let after = try journal().memory
            #expect(after.promised <= before.memory.promised)
            #expect(after.lineage == lineage || after == ViewMemory())
        } catch is FatalFault {}
    }

    private func written(withReserveIn journal: ViewJournal) {
        journal.rewrite(on: disk, tag: 900)
        disk.run()
        journal.completed(900, on: disk) { 901 }
        disk.run()
        journal.completed(901, on: disk) { 902 }
    }

    @Test func `V31: it is made anew on a full disk, from what is in reserve`() throws {
        let journal = try written()
        written(withReserveIn: journal)
        disk.isFull = true
        for round in 4...200 as ClosedRange<UInt64> {
            journal.append(promise(round), to: disk, tag: round)
            disk.run()
        }
        #expect(disk.waiting.isEmpty)
        #expect(try self.journal().memory == journal.memory)
        #expect(try self.journal().memory.promised.round == 200)
        // The next reserve waits for room, and nothing else does.
        journal.completed(128, on: disk) { 903 }
        disk.run()
        journal.append(promise(201), to: disk, tag: 201)
        #expect(disk.run().contains(201))
    }

    @Test func `V31: a start on a full disk finds what is in reserve, and clears it`() throws {
        let before = try written()
        written(withReserveIn: before)
        // As a rewriting that a crash has cut would leave it.
        let old = try #require(disk.files["views.a"])
        for file in ViewJournal.files { disk.change(file + ".spare") { $0 = old } }
        disk.isFull = true
        let after = try journal()
        after.rewrite(on: disk, tag: 9)
        #expect(disk.run() == [9])
        for file in ViewJournal.files {
            let bytes = try #require(disk.files[file])
            #expect(bytes.count == old.count)
            // The header, the founding, the view, the promise; and nothing behind them.
            #expect(ViewJournalFormat.records(in: bytes).records.count == 4)
        }
        #expect(try journal().memory == before.memory)
    }
}
