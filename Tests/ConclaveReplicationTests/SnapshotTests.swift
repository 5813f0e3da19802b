import ConclaveBase
import ConclaveGroup
import ConclaveWire
import Testing

@testable import ConclaveReplication

@Suite struct `Snapshots` {
    private let disk = MemoryDisk()

    private func snapshot(_ counter: UInt64 = 5) -> Snapshot {
        Snapshot(
            current: view(3, trim: [1, 2]), delivered: [4, 9],
            version: Version(Version(startOfEra: 1).number + counter),
            time: Timestamp(microseconds: 77), machine: [1, 2, 3, 4])
    }

    @Test func `a snapshot comes back as it was written`() throws {
        let bytes = snapshot().encode(owner: node)
        #expect(try Snapshot.decode(bytes, file: "s", owner: node) == snapshot())
    }

    @Test func `its size is known though its bytes are not`() throws {
        var writer = ByteWriter()
        snapshot().encodeHeader(into: &writer)
        var reader = ByteReader(writer.bytes)
        #expect(try Snapshot(headerFrom: &reader).machineByteCount == 4)
        #expect(snapshot().machineByteCount == 4)
    }

    @Test func `each single changed byte is damage`() {
        let bytes = snapshot().encode(owner: node)
        for index in bytes.indices {
            var changed = bytes
            changed[index] ^= 4
            #expect(throws: FatalFault.self) {
                try Snapshot.decode(changed, file: "s", owner: node)
            }
            #expect(throws: FatalFault.self) {
                try Snapshot.decode(Array(bytes[..<index]), file: "s", owner: node)
            }
        }
    }

    @Test func `a snapshot of another node is refused`() {
        let bytes = snapshot().encode(owner: node)
        #expect(throws: FatalFault.foreignData("s: of node 1, not of 2")) {
            try Snapshot.decode(bytes, file: "s", owner: NodeID(2))
        }
    }

    @Test func `a header with a vector of another length is refused`() {
        var wrong = snapshot()
        wrong.delivered = [1]
        var writer = ByteWriter()
        wrong.encodeHeader(into: &writer)
        #expect(throws: WireError.self) {
            var reader = ByteReader(writer.bytes)
            _ = try Snapshot(headerFrom: &reader)
        }
    }

    @Test func `names sort as versions do`() {
        let names = [9, 10, 255, 256, 65_536].map { Snapshot.name(Version($0)) }
        #expect(names.sorted() == names)
        #expect(names.allSatisfy(Snapshot.isName))
        #expect(!Snapshot.isName(names[0] + ".unfinished"))
    }

    /// The old one is kept until the new one is durable, wherever a crash cuts.
    @Test(arguments: 0...6)
    func `a whole snapshot is there at any moment`(operations: Int) throws {
        var store = SnapshotStore(owner: node)
        store.write(snapshot(5), to: disk, tag: 1)
        for tag in disk.run() { _ = store.completed(tag) }
        store.write(snapshot(6), to: disk, tag: 2)
        for tag in disk.run(operations) {
            _ = store.completed(tag)
            store.forgetOlder(on: disk)
        }
        disk.run(operations == 6 ? 1 : 0)
        disk.crash()
        var again = SnapshotStore(owner: node)
        let found = try #require(try again.recover(from: disk))
        #expect(found.version.counter == (operations < 4 ? 5 : 6))
        disk.run()
        #expect(!disk.files.keys.contains { $0.hasSuffix(".unfinished") })
    }

    @Test func `what is replaced is removed once the new one is durable`() throws {
        var store = SnapshotStore(owner: node)
        for (tag, counter) in [(1, 5), (2, 6)] as [(UInt64, UInt64)] {
            store.write(snapshot(counter), to: disk, tag: tag)
            #expect(store.isBusy)
            disk.run()
            let durable = store.completed(tag)
            store.forgetOlder(on: disk)
            #expect(durable?.version == snapshot(counter).version)
            #expect(durable?.machineByteCount == 4)
            disk.run()
        }
        #expect(disk.files.keys.sorted() == [Snapshot.name(snapshot(6).version)])
    }
}
