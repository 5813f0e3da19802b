import ConclaveBase
import ConclaveCoordination
import ConclaveGroup
import ConclaveReplication
import ConclaveWire
import TestSupport

/// Control frames that are well formed and may mean anything: their numbers are near those that the
/// receiver knows.
struct PeerFrames {
    var source: ByteSource
    let receiver: MeshNode
    let sender: MeshNode
    let members: [Member]
    /// Of the newest transfer.
    let transferID: UInt64
    let now: Instant

    mutating func compose() -> [UInt8] {
        var writer = ByteWriter()
        writer.lineage(lineage())
        switch source.choice(of: 8) {
        case 0 where source.flag():
            survey(into: &writer)
        case 0:
            writer.integer(UInt8(2))
            writer.integer(epoch().number)
        case 1:
            writer.integer(UInt8(3))
            writer.integer(epoch().number)
            records(into: &writer)
        case 2, 3, 4:
            writer.integer(UInt8(4))
            transfer(into: &writer)
        default:
            writer.integer(UInt8(1))
            membership().encode(into: &writer)
        }
        return writer.bytes
    }

    // MARK: - What frames are made of

    private var view: View { receiver.replica.view }

    private mutating func lineage() -> Lineage {
        source.choice(of: 8) == 7 ? Lineage(high: 1, low: 2) : receiver.replica.lineage
    }

    private mutating func epoch() -> Epoch {
        Epoch(source.number(near: [view.epoch.number, view.epoch.number &+ 1]))
    }

    private mutating func member() -> Member {
        var member = source.pick(members)
        if source.choice(of: 8) == 0 {
            member = Member(
                node: NodeID(UInt32(source.byte())),
                incarnation: Incarnation(source.number(near: [1, 2])))
        }
        return member
    }

    private mutating func ballot() -> Ballot {
        let round = min(source.number(near: [1, 2, 3, 5, 9]), Ballot.lastRound)
        return Ballot(round: round, rank: Rank(source.choice(of: 4)))
    }

    private mutating func trim() -> [UInt64] {
        let count = source.choice(of: 8) == 0 ? source.choice(of: 6) : view.members.count
        return (0..<count).map { _ in source.number(near: [0, 1, 2, 3, 8]) }
    }

    private mutating func interval() -> Interval {
        Interval(nanoseconds: Int64(bitPattern: source.number(near: [0, 1_000_000_000])))
    }

    private mutating func nextView() -> NextView {
        let mask = source.byte()
        var seated = members.enumerated().filter { mask & (1 << $0.offset) == 0 }.map(\.element)
        if seated.isEmpty || mask & 0x40 != 0 { seated.append(member()) }
        let departed = mask & 0x20 == 0 ? [] : [departure()]
        let absent = mask & 0x10 == 0 ? [] : [departure()]
        return NextView(
            lineage: lineage(),
            installed: InstalledView(
                view: View(epoch: Epoch(min(epoch().number, NextView.lastEpoch)), members: seated),
                joined: [], departed: departed, absent: absent,
                minimumMembers: Int(truncatingIfNeeded: source.byte()) % 4,
                stateWasLost: mask & 0x80 != 0, historyWasGivenUp: mask & 0xC0 == 0xC0),
            trim: trim(), era: [1, 2, UInt16.max - 1][source.choice(of: 3)],
            maximumSessionTTL: interval(), list: list(),
            time: Timestamp(microseconds: source.number()))
    }

    /// The members that there are, or more, or fewer.
    private mutating func list() -> MemberList {
        let mask = source.byte()
        let nodes = members.map(\.node) + [NodeID(9)]
        let listed = nodes.enumerated().filter { mask & (1 << $0.offset) == 0 }
        return MemberList(
            listed.map { MemberList.Entry(node: $0.element, address: Array("a:1".utf8)) },
            givenMinimum: source.choice(of: 4))
    }

    private mutating func departure() -> InstalledView.Departed {
        InstalledView.Departed(
            member: member(), reason: source.pick(DepartureReason.allCases),
            by: source.pick(members).node, silent: interval())
    }

    private mutating func records(into writer: inout ByteWriter) {
        let count = source.choice(of: 4)
        writer.count(count)
        for _ in 0..<count { record(into: &writer) }
    }

    private mutating func record(into writer: inout ByteWriter) {
        writer.integer(epoch().number)
        writer.integer(UInt32(source.choice(of: 5)))
        let payload = source.bytes(source.choice(of: 24))
        writer.integer(UInt32(payload.count))
        writer.integer(source.number(near: [0, 1, 2, 3]))
        writer.integer(source.number(near: [0, 1, 2, 3]))
        writer.integer(source.number())
        writer.raw(payload)
    }

    // MARK: - Kinds of frames

    private mutating func membership() -> MembershipFrame {
        switch source.choice(of: 16) {
        case 0: .ping(source.number(near: [now.nanoseconds]))
        case 1: .pong(source.number(near: [now.nanoseconds]))
        case 2:
            .accuse(
                epoch(), whom: member().node, reason: source.pick(DepartureReason.allCases),
                silent: interval())
        case 3: .prepare(ballot(), decided: nextView())
        case 4, 5: .promise(promise())
        case 6: .overtaken(epoch(), by: ballot())
        case 7: .raise(epoch(), ballot(), trim: trim())
        case 8:
            .fill(epoch(), ballot(), to: member().node, ranges: [range()])
        case 9: .level(epoch(), ballot())
        case 10, 11: .accept(ballot(), nextView())
        case 12: .accepted(epoch(), ballot())
        case 13: .install(nextView())
        case 14:
            source.flag()
                ? .found(lineage(), founder: member(), members: members.map(\.node))
                : .founded(lineage(), founder: member().incarnation, by: member())
        default: .leave(epoch())
        }
    }

    private mutating func promise() -> Promise {
        Promise(
            epoch: epoch(), ballot: ballot(), from: member(),
            vector: source.flag() ? trim() : nil, delivered: trim(), livedThrough: source.flag(),
            accepted: source.choice(of: 4) == 0
                ? Promise.Accepted(ballot: ballot(), value: nextView()) : nil,
            hears: members.map(\.node), silences: [])
    }

    private mutating func range() -> FillRange {
        let first = source.number(near: [0, 1, 2])
        let second = source.number(near: [1, 2, 4])
        return FillRange(
            sender: source.choice(of: 5), ordinals: min(first, second)..<max(first, second))
    }

    /// A question of who is to go on without the others, or the answer.
    private mutating func survey(into writer: inout ByteWriter) {
        let isAnswer = source.flag()
        writer.integer(UInt8(isAnswer ? 6 : 5))
        writer.integer(source.number(near: [1]))
        guard isAnswer else { return }
        let hasView = source.flag()
        writer.flag(hasView)
        if hasView { nextView().encode(into: &writer) }
        writer.flag(source.flag())
        writer.integer(UInt16(truncatingIfNeeded: source.number(near: [0, 1, 2])))
        let hasState = source.flag()
        writer.flag(hasState)
        guard hasState else { return }
        writer.integer(epoch().number)
        writer.list(trim()) { $1.integer($0) }
    }

    private mutating func transfer(into writer: inout ByteWriter) {
        let kind = UInt8(1 + source.choice(of: 8))
        writer.integer(kind)
        let version = receiver.replica.version.number
        if kind == 1 {
            writer.member(source.flag() ? sender.member : member())
            return writer.integer(source.number(near: [version, 0]))
        }
        writer.integer(source.choice(of: 8) == 7 ? source.word() : transferID)
        switch kind {
        case 2:
            let hasSnapshot = source.flag()
            writer.flag(hasSnapshot)
            if hasSnapshot { writer.bytes(snapshotHeader(version: version)) }
        case 3:
            let state = wholeState
            writer.bytes(source.flag() ? state : source.bytes(Int(source.byte())))
        case 4: items(into: &writer)
        case 5: writer.integer(source.number(near: [0, 1_024, 1 << 20]))
        case 6: writer.integer(source.number(near: [version]))
        case 7:
            writer.integer(epoch().number)
            writer.list(trim()) { $1.integer($0) }
            records(into: &writer)
            writer.flag(source.flag())
        default:
            writer.integer(epoch().number)
            writer.list(trim()) { $1.integer($0) }
        }
    }

    private mutating func items(into writer: inout ByteWriter) {
        let count = source.choice(of: 4)
        writer.count(count)
        for _ in 0..<count {
            if source.flag() {
                writer.integer(UInt8(1))
                record(into: &writer)
            } else {
                writer.integer(UInt8(2))
                nextView().encode(into: &writer)
            }
        }
    }

    private mutating func snapshotHeader(version: UInt64) -> [UInt8] {
        var writer = ByteWriter()
        let view = nextView()
        view.encode(into: &writer)
        let count = source.choice(of: 8) == 0 ? source.choice(of: 5) : view.members.count
        writer.count(count)
        for _ in 0..<count { writer.integer(source.number(near: [0, 1, 2])) }
        writer.integer(source.number(near: [version, version &+ 9]))
        writer.integer(source.number())
        return writer.bytes
    }

    /// All rows of the sender's state, and their digest.
    private var wholeState: [UInt8] {
        var writer = ByteWriter()
        writer.raw(sender.replica.machine.encodeSnapshot())
        writer.integer(sender.replica.machine.digest)
        return writer.bytes
    }
}
