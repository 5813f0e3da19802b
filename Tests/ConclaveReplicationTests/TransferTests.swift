import ConclaveBase
import ConclaveGroup
import ConclaveWire
import Testing

@testable import ConclaveReplication

@Suite struct `The transfer` {
    private static let records = [record(3, message(0, 7, 1)), record(3, message(1, 0, 2))]

    private static let frames: [ControlFrame] = [
        .membership(.ping(3)),
        .ready(Epoch(4)),
        .fill(Epoch(3), records),
        .transfer(.join(member(2, 9), version: Version(77))),
        .transfer(.begin(id: 1, snapshot: nil)),
        .transfer(.begin(id: 1, snapshot: [1, 2, 3])),
        .transfer(.snapshotPart(id: 1, bytes: [4, 5])),
        .transfer(.items(id: 1, [.message(records[0]), .view(view(3, trim: [1]))])),
        .transfer(.taken(id: 1, byteCount: 88)),
        .transfer(.ready(id: 1, version: Version(5), hears: [member(2), member(3, 7)])),
        .transfer(.level(id: 1, Epoch(3), trim: [1, 2], records, isLast: true)),
        .transfer(.isLevel(id: 1, Epoch(3), trim: [1, 2])),
        .survey(id: 7),
        .holding(
            id: 7,
            Holding(
                newest: view(3, trim: [1]), mayVote: true, highestEra: 5,
                state: Holding.State(epoch: Epoch(3), vector: [1, 2]))),
        .holding(id: 7, Holding(newest: nil, mayVote: false, highestEra: 0, state: nil)),
    ]

    /// A frame takes as many as it has room for, and what does not fit is never sent.
    @Test func `an item counts no less than it takes, also a view of many who departed`() {
        var large = view(3, trim: [1])
        large.installed.absent = (0..<4_000).map { number in
            InstalledView.Departed(
                member: member(number), reason: .died, by: NodeID(1), silent: .seconds(1))
        }
        for item in [OrderedItem.message(Self.records[0]), .view(view(3, trim: [1])), .view(large)]
        {
            var writer = ByteWriter()
            item.encode(into: &writer)
            #expect(item.byteCount >= writer.bytes.count)
        }
    }

    @Test(arguments: frames.indices)
    func `comes back as it was sent`(index: Int) throws {
        let bytes = Self.frames[index].encode(lineage: lineage)
        let (found, frame) = try ControlFrame.decode(bytes)
        #expect(found == lineage)
        #expect(frame == Self.frames[index])
        for count in bytes.indices {
            #expect(throws: WireError.self) { try ControlFrame.decode(Array(bytes[..<count])) }
        }
        #expect(throws: WireError.trailing(byteCount: 1)) { try ControlFrame.decode(bytes + [0]) }
    }

    @Test(arguments: frames.indices)
    func `changed bytes never trap`(index: Int) throws {
        var random = SeededRandom(seed: UInt64(index))
        let bytes = Self.frames[index].encode(lineage: lineage)
        for _ in 0..<2_000 {
            var changed = bytes
            for _ in 0...random.below(3) {
                let place = Int(random.below(UInt64(changed.count)))
                changed[place] = UInt8(truncatingIfNeeded: random.next())
            }
            guard let (found, frame) = try? ControlFrame.decode(changed) else { continue }
            #expect(try ControlFrame.decode(frame.encode(lineage: found)) == (found, frame))
        }
    }

    @Test func `a record whose place in the order cannot be counted is refused`() {
        for (sender, index, ordinal) in [
            (64, 0, 0), (0, UInt64.max, 0), (0, 1 << 56, 0), (0, 5, UInt64.max),
        ] as [(Int, UInt64, UInt64)] {
            let record = record(
                1,
                OrderedMessage(
                    sender: sender, index: index, ordinal: ordinal, timestamp: .zero, payload: []))
            var writer = ByteWriter()
            record.encode(into: &writer)
            #expect(throws: WireError.self) {
                var reader = ByteReader(writer.bytes)
                _ = try JournalRecord(from: &reader)
            }
        }
    }

    @Test func `a version after which there is none is refused in a snapshot's header`() {
        let header = SnapshotHeader(
            current: view(1), delivered: [0, 0], version: Version(Version.counterMask),
            time: .zero)
        #expect(throws: WireError.self) {
            var reader = ByteReader(header.bytes)
            _ = try SnapshotHeader(from: &reader)
        }
    }

    @Test func `a snapshot is taught in parts, and its window is bounded`() throws {
        let teaching = Teaching<ListMachine>(learner: member(2), id: 1, next: 0, now: start)
        let state = (0..<200).map { UInt8($0) }
        let header = SnapshotHeader(
            current: view(1), delivered: [0, 0], version: Version(5), time: .zero)
        teaching.snapshot = SnapshotSource(header, of: machine(state))
        var reader = SnapshotReader(like: ListMachine(), at: Version(5))
        var count: UInt64 = 0
        var now = start
        #expect(try #require(teaching.partDue(among: 1)) <= now)
        while let part = teaching.nextSnapshotPart(100, now: now) {
            #expect(teaching.partDue(among: 1) == now.advanced(by: Teaching<ListMachine>.pause))
            now = now.advanced(by: Teaching<ListMachine>.pause)
            try reader.take(part)
            count += UInt64(part.count)
        }
        #expect(reader.machine == machine(state))
        #expect(teaching.hasSentSnapshot && teaching.partDue(among: 1) == nil)
        #expect(teaching.sentByteCount == count)
        teaching.sentByteCount = Teaching<ListMachine>.window
        #expect(!teaching.hasRoom(among: 1))
        teaching.takenByteCount = 1
        #expect(teaching.hasRoom(among: 1))
        #expect(!teaching.hasRoom(among: 2))
    }

    @Test func `a learner counts what it has taken, and a step that waits not yet`() throws {
        let learning = Learning<ListMachine>(teacher: NodeID(1), id: 1, now: start)
        var isWithinWindow = learning.put(.snapshotPart([1, 2, 3]))
        #expect(learning.takenByteCount == 0)
        var step = learning.take()
        #expect(learning.takenByteCount == 3)
        learning.putBack(try #require(step), until: .room)
        #expect(learning.takenByteCount == 0)
        #expect(!learning.isCaughtUp)
        isWithinWindow = learning.put(.snapshotPart([4])) && isWithinWindow
        #expect(isWithinWindow)
        step = learning.take()
        guard case .snapshotPart([1, 2, 3]) = step else {
            Issue.record("\(String(describing: step))")
            return
        }
        step = learning.take()
        #expect(learning.takenByteCount == 4)
        step = learning.take()
        #expect(step.map(\.byteCount) == nil)
    }

    @Test(arguments: [0, 100, 32 * 1_024])
    func `C9: what a teacher may send at once has a bound`(byteCount: Int) {
        let learning = Learning<ListMachine>(teacher: NodeID(1), id: 1, now: start)
        let part = Array(repeating: UInt8(0), count: byteCount)
        let window = Int(Teaching<ListMachine>.window)
        var count = 0
        while learning.put(.snapshotPart(part)), count < window { count += 1 }
        #expect(count < window && count * byteCount <= 2 * window)
        if byteCount > 0 { #expect(count * byteCount >= window) }
    }

    @Test func `items are taught until there are none, or they are no longer kept`() {
        var recent = RecentItems(maximumByteCount: 200)
        recent.append(.message(record(1, message(0, 0, 1))), before: Version(1))
        let teaching = Teaching<ListMachine>(learner: member(2), id: 1, next: 0, now: start)
        #expect(teaching.nextItems(from: recent).items.count == 1)
        let none = teaching.nextItems(from: recent)
        #expect(none.items.isEmpty && none.isKept)
        for ordinal in 1..<9 as Range<UInt64> {
            recent.append(
                .message(record(1, message(0, ordinal, 1))), before: Version(ordinal + 1))
        }
        #expect(!teaching.nextItems(from: recent).isKept)
    }
}

@Suite struct `Recent items` {
    private func items(_ versions: [UInt64], maximum: Int = 1 << 20) -> RecentItems {
        var recent = RecentItems(maximumByteCount: maximum)
        for (index, version) in versions.enumerated() {
            recent.append(
                .message(record(1, message(0, UInt64(index), 1))), before: Version(version))
        }
        return recent
    }

    @Test func `V22: a version names the item that follows it`() {
        let recent = items([1, 2, 5, 9])
        #expect(recent.number(after: Version(1), applied: Version(10)) == 0)
        #expect(recent.number(after: Version(5), applied: Version(10)) == 2)
        #expect(recent.number(after: Version(10), applied: Version(10)) == 4)
    }

    @Test func `V22: a version that is not on the chain names nothing`() {
        let recent = items([1, 2, 5, 9])
        for version in [0, 3, 8, 11] as [UInt64] {
            #expect(recent.number(after: Version(version), applied: Version(10)) == nil)
        }
    }

    @Test func `items that raised no version are sent rather than left out`() {
        let recent = items([1, 2, 3, 3])
        #expect(recent.number(after: Version(3), applied: Version(3)) == 2)
    }

    @Test func `V22: a version names nothing if some items that followed it are gone`() {
        let size = OrderedItem.message(record(1, message(0, 0, 1))).byteCount
        var recent = items([1, 3, 3, 4], maximum: 2 * size)
        #expect(recent.number(after: Version(3), applied: Version(5)) == nil)
        #expect(recent.number(after: Version(4), applied: Version(5)) == 3)
        recent.removeAll(at: Version(5))
        #expect(recent.number(after: Version(5), applied: Version(5)) == nil)
    }

    @Test func `what somebody who is taught needs stays, and goes when it is taken`() {
        let size = OrderedItem.message(record(1, message(0, 0, 1))).byteCount
        var recent = RecentItems(maximumByteCount: 2 * size)
        func append(_ ordinals: Range<UInt64>) {
            for ordinal in ordinals {
                recent.append(
                    .message(record(1, message(0, ordinal, 1))), before: Version(ordinal + 1))
            }
        }
        append(0..<4)
        recent.needed = 3
        append(4..<50)
        #expect(recent.start == 3)
        recent.needed = 40
        append(50..<51)
        #expect(recent.start == 40)
        recent.needed = nil
        append(51..<52)
        #expect(recent.start == 50)
    }

    @Test func `the oldest ones go, and numbers stay`() {
        let size = OrderedItem.message(record(1, message(0, 0, 1))).byteCount
        var recent = items([1, 2, 3, 4], maximum: 2 * size)
        #expect(recent.start == 2)
        #expect(recent[1] == nil)
        #expect(recent[2] == .message(record(1, message(0, 2, 1))))
        #expect(recent.number(after: Version(1), applied: Version(5)) == nil)
        recent.removeAll()
        #expect(recent.start == 4)
        #expect(recent.end == 4)
        #expect(recent[3] == nil)
    }
}

@Suite struct `The applied order` {
    private func order() -> AppliedOrder<ListMachine> {
        var order = AppliedOrder(blank: ListMachine(), recentByteCount: 1 << 20)
        var effects: [UInt8] = []
        order.install(view(1), effects: &effects)
        return order
    }

    @Test func `V28: every command of a batch has a version of its own, and so has a view`() {
        var order = order()
        #expect(order.version == Version(Version(startOfEra: 1).number + 1))
        var batch = CommandBatch()
        for command in [[7], [8, 8], [], [9]] as [[UInt8]] { batch.append(command) }
        var sent = message(0, 0, 0)
        sent.payload = batch.payload
        var effects: [UInt8] = []
        order.apply(sent, effects: &effects)
        #expect(effects == [7, 8, 9])
        #expect(order.version.counter == 5)
        #expect(order.delivered == [1, 0])
    }

    @Test(arguments: [[5, 0, 0, 0, 1], [1, 0, 0], [0xFF, 0xFF, 0xFF, 0xFF], []] as [[UInt8]])
    func `a payload that does not decode ends there and harms nobody`(payload: [UInt8]) {
        var order = order()
        var sent = message(1, 0, 0)
        sent.payload = [1, 0, 0, 0, 42] + payload
        var effects: [UInt8] = []
        order.apply(sent, effects: &effects)
        #expect(effects == [42])
        #expect(order.version.counter == 2)
    }

    @Test func `time never goes back`() {
        var order = order()
        var effects: [UInt8] = []
        order.apply(message(0, 9, 1), effects: &effects)
        order.apply(message(1, 3, 1), effects: &effects)
        #expect(order.time == Timestamp(microseconds: 9))
    }

    @Test func `a snapshot goes on where it was taken`() throws {
        var original = order()
        var effects: [UInt8] = []
        original.apply(message(0, 0, 7), effects: &effects)
        var copy = AppliedOrder(blank: ListMachine(), recentByteCount: 1 << 20)
        let source = try #require(original.snapshot())
        // What goes on meanwhile does not show in it.
        original.apply(message(0, 1, 8), effects: &effects)
        var reader = SnapshotReader(like: ListMachine(), at: Version(5))
        for piece in pieces(source) { try reader.take(piece) }
        copy.restore(source.header, try #require(reader.machine))
        copy.apply(message(0, 1, 8), effects: &effects)
        for order in [original, copy] {
            var order = order
            order.install(view(2, trim: [2, 0]), effects: &effects)
            #expect(order.machine.list == [0, 1, 7, 8, 0, 2])
            #expect(order.version.counter == 4)
        }
    }
}
