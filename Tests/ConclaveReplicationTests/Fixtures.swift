import ConclaveBase
import ConclaveGroup
import ConclaveWire

@testable import ConclaveReplication

let node = NodeID(1)
let lineage = Lineage(high: 0x1111, low: 0x2222)
let start = Instant(nanoseconds: 1_000_000_000)

func member(_ number: UInt32, _ incarnation: UInt64 = 1) -> Member {
    Member(node: NodeID(number), incarnation: Incarnation(incarnation))
}

func view(
    _ epoch: UInt64, of members: [Member] = [member(1), member(2)], trim: [UInt64] = [],
    stateWasLost: Bool = false, era: UInt16 = 1
) -> NextView {
    NextView(
        lineage: lineage, givenUp: [Lineage(high: 3, low: 4)],
        installed: InstalledView(
            view: View(epoch: Epoch(epoch), members: members), joined: [], departed: [],
            absent: [], minimumMembers: 1, stateWasLost: stateWasLost),
        trim: trim, era: era, maximumSessionTTL: .seconds(60),
        list: MemberList(
            (1...3).map { MemberList.Entry(node: NodeID($0), address: []) }, givenMinimum: 1),
        time: .zero)
}

/// A message with one command of one byte.
func message(_ sender: Int, _ ordinal: UInt64, _ command: UInt8) -> OrderedMessage {
    var batch = CommandBatch()
    batch.append([command])
    return OrderedMessage(
        sender: sender, index: ordinal, ordinal: ordinal,
        timestamp: Timestamp(microseconds: ordinal), payload: batch.payload)
}

func record(_ epoch: UInt64, _ message: OrderedMessage) -> JournalRecord {
    JournalRecord(epoch: Epoch(epoch), message: message)
}

/// Remembers the first byte of every command, and every view as 0 and its epoch.
struct ListMachine: StateMachine, Equatable {
    var list: [UInt8] = []

    init() {}

    mutating func apply(
        _ command: ByteReader, at version: Version, time: Timestamp, effects: inout [UInt8]
    ) {
        var command = command
        guard let byte = command.rest().first else { return }
        list.append(byte)
        effects.append(byte)
    }

    mutating func install(
        _ view: InstalledView, at version: Version, time: Timestamp, effects: inout [UInt8]
    ) {
        list += [0, UInt8(view.view.epoch.number)]
    }

    func remembers(_ member: Member) -> Bool { true }

    func canBe(at version: Version) -> Bool { list.first != 0xFE }

    var rowCount: Int { 1 }

    func freeze() -> FrozenList { FrozenList(list: list) }

    func makeBuilder() -> ListBuilder { ListBuilder() }
}

/// A row an element, with its place.
struct FrozenList: FrozenState {
    let list: [UInt8]
    var place = 0

    mutating func encodeRow(into writer: inout ByteWriter) -> Bool {
        guard place < list.count else { return false }
        writer.integer(UInt32(place))
        writer.integer(list[place])
        place += 1
        return true
    }
}

struct ListBuilder: StateBuilder {
    var machine = ListMachine()

    mutating func take(_ row: ByteReader) throws(WireError) {
        var reader = row
        guard try reader.integer("place") == UInt32(machine.list.count) else {
            throw .invalid(field: "place", reason: "is not the next one")
        }
        let byte = try reader.byte("element")
        guard byte != 0xFF else { throw .invalid(field: "list", reason: "is no list") }
        machine.list.append(byte)
        try reader.finish()
    }

    mutating func finish() throws(WireError) -> ListMachine { machine }
}

func machine(_ list: [UInt8]) -> ListMachine {
    var machine = ListMachine()
    machine.list = list
    return machine
}

/// The whole of a snapshot in pieces of about `byteCount`.
func pieces(_ source: SnapshotSource<ListMachine>, of byteCount: Int = 64) -> [[UInt8]] {
    var pieces: [[UInt8]] = []
    while let piece = source.next(byteCount) { pieces.append(piece) }
    return pieces
}
