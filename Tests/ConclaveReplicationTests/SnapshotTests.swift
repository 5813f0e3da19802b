import ConclaveBase
import ConclaveGroup
import ConclaveWire
import Testing

@testable import ConclaveReplication

@Suite struct `Snapshots` {
    private let disk = MemoryDisk()
    private let list = (0..<200).map { UInt8($0) }

    private func header(_ counter: UInt64 = 5) -> SnapshotHeader {
        SnapshotHeader(
            current: view(3, trim: [1, 2]), delivered: [4, 9],
            version: Version(Version(startOfEra: 1).number + counter),
            time: Timestamp(microseconds: 77))
    }

    private func source(_ counter: UInt64 = 5) -> SnapshotSource<ListMachine> {
        SnapshotSource(header(counter), of: machine(list))
    }

    /// Hands a whole snapshot to the disk.
    private func write(_ store: inout SnapshotStore, _ counter: UInt64, tag: UInt64) {
        store.begin(header(counter), on: disk)
        for piece in pieces(source(counter)) { store.append(piece, to: disk, tag: 1_000 + tag) }
        store.finish(on: disk, tag: tag)
    }

    private func recover(
        _ owner: NodeID = node, lineage known: Lineage = lineage
    ) throws(FatalFault) -> (header: SnapshotHeader, machine: ListMachine)? {
        var store = SnapshotStore(owner: owner)
        return try store.recover(from: disk, lineage: known, like: ListMachine())
    }

    @Test(arguments: [1, 7, 64, 5_000])
    func `a state comes back from pieces, however they are cut`(byteCount: Int) throws {
        let bytes = pieces(source()).flatMap { $0 }
        var reader = SnapshotReader(like: ListMachine(), at: Version(5))
        for start in stride(from: 0, to: bytes.count, by: byteCount) {
            #expect(reader.machine == nil)
            try reader.take(Array(bytes[start..<min(bytes.count, start + byteCount)]))
        }
        #expect(reader.machine == machine(list))
        #expect(throws: WireError.self) { try reader.take([1]) }
    }

    @Test func `pieces are as large as they were asked for`() {
        let sizes = pieces(source(), of: 100).map(\.count)
        #expect(sizes.dropLast().allSatisfy { (100..<200).contains($0) })
    }

    @Test func `each single changed byte of the pieces is noticed`() {
        let bytes = pieces(source()).flatMap { $0 }
        for index in bytes.indices {
            var changed = bytes
            changed[index] ^= 4
            var reader = SnapshotReader(like: ListMachine(), at: Version(5))
            _ = try? reader.take(changed)
            #expect(reader.machine == nil, "byte \(index)")
        }
    }

    @Test func `a header with a vector of another length is refused`() {
        var wrong = header()
        wrong.delivered = [1]
        #expect(throws: WireError.self) {
            var reader = ByteReader(wrong.bytes)
            _ = try SnapshotHeader(from: &reader)
        }
    }

    @Test func `a snapshot comes back as it was written`() throws {
        var store = SnapshotStore(owner: node)
        write(&store, 5, tag: 1)
        disk.run()
        let found = try #require(try recover())
        #expect(found.header == header())
        #expect(found.machine == machine(list))
    }

    @Test func `only a name that a snapshot gets is one, and only for its version`() throws {
        var store = SnapshotStore(owner: node)
        write(&store, 5, tag: 1)
        disk.run()
        let file = SnapshotFile.name(header().version)
        let bytes = try disk.read(file, at: 0, count: .max)
        for stray in ["snapshot-zzzzzzzzzzzzzzzz", "snapshot-FFFFFFFFFFFFFFFF"] {
            disk.submit(.create(stray, byteCount: 0), lane: .snapshots, tag: 0)
        }
        disk.run()
        #expect(try recover()?.header == header())
        let other = SnapshotFile.name(header(6).version)
        disk.submit(.create(other, byteCount: 0), lane: .snapshots, tag: 0)
        disk.submit(.write(other, at: 0, bytes: bytes), lane: .snapshots, tag: 0)
        disk.run()
        #expect(throws: FatalFault.self) { try recover() }
    }

    @Test func `each single changed byte of the file, and each cut, is damage`() throws {
        var store = SnapshotStore(owner: node)
        write(&store, 5, tag: 1)
        disk.run()
        let file = SnapshotFile.name(header().version)
        let bytes = try #require(disk.files[file])
        let state = SnapshotFile.offset(after: header())
        let head = SnapshotFile(header: header(), stateChecksum: 0, stateByteCount: 0)
            .encodeHead(owner: node).count
        for index in bytes.indices where index < head || index >= state {
            disk.change(file) { $0[index] ^= 4 }
            #expect(throws: FatalFault.self, "byte \(index)") { try recover() }
            disk.change(file) { $0 = Array(bytes[..<index]) }
            #expect(throws: FatalFault.self, "cut at \(index)") { try recover() }
            disk.change(file) { $0 = bytes }
        }
    }

    @Test func `a snapshot of another node is refused, one of another lineage is not looked at`()
        throws
    {
        var store = SnapshotStore(owner: node)
        write(&store, 5, tag: 1)
        disk.run()
        let file = SnapshotFile.name(header().version)
        #expect(throws: FatalFault.foreignData("\(file): of node 1, not of 2")) {
            try recover(NodeID(2))
        }
        #expect(try recover(lineage: Lineage(high: 9, low: 9)) == nil)
    }

    @Test func `names sort as versions do`() {
        let names = [9, 10, 255, 256, 65_536].map { SnapshotFile.name(Version($0)) }
        #expect(names.sorted() == names)
        #expect(names.allSatisfy(SnapshotFile.isName))
        #expect(!SnapshotFile.isName(names[0] + SnapshotFile.unfinishedSuffix))
    }

    /// The old one is kept until the new one is durable, wherever a crash cuts.
    @Test(arguments: 0...30)
    func `a whole snapshot is there at any moment`(operations: Int) throws {
        var store = SnapshotStore(owner: node)
        write(&store, 5, tag: 1)
        for tag in disk.run() { _ = store.completed(tag) }
        disk.run()
        write(&store, 6, tag: 2)
        let isRenamed = operations >= disk.waiting.count - 1
        for tag in disk.run(operations) {
            if case .durable(let durable, _) = store.completed(tag) {
                store.forget(allBut: durable.version, on: disk)
            }
        }
        disk.crash()
        let found = try #require(try recover())
        #expect(found.header.version.counter == (isRenamed ? 6 : 5))
        disk.run()
        #expect(!disk.files.keys.contains { $0.hasSuffix(SnapshotFile.unfinishedSuffix) })
    }

    @Test func `what is replaced is removed once the new one is durable`() {
        var store = SnapshotStore(owner: node)
        for (tag, counter) in [(1, 5), (2, 6)] as [(UInt64, UInt64)] {
            write(&store, counter, tag: tag)
            #expect(store.isBusy)
            var durable: SnapshotHeader?
            for tag in disk.run() {
                if case .durable(let header, _) = store.completed(tag) {
                    durable = header
                }
            }
            #expect(durable == header(counter))
            #expect(!store.isBusy)
            store.forget(allBut: header(counter).version, on: disk)
            disk.run()
        }
        #expect(disk.files.keys.sorted() == [SnapshotFile.name(header(6).version)])
    }

    @Test func `only so many pieces are on their way to the disk at once`() {
        var store = SnapshotStore(owner: node)
        #expect(!store.hasRoom)
        store.begin(header(), on: disk)
        var tag: UInt64 = 0
        while store.hasRoom, tag < 100 {
            tag += 1
            store.append([1, 2, 3], to: disk, tag: tag)
        }
        #expect(tag == 8)
        for tag in disk.run() { _ = store.completed(tag) }
        #expect(store.hasRoom)
    }

    @Test func `one that is given up leaves nothing`() {
        var store = SnapshotStore(owner: node)
        store.begin(header(), on: disk)
        store.append([1, 2, 3], to: disk, tag: 1)
        store.abandon(on: disk)
        #expect(!store.isBusy)
        disk.run()
        #expect(disk.files.isEmpty)
    }
}
