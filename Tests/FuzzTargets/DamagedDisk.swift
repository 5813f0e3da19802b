import ConclaveBase
import ConclaveCoordination
import ConclaveReplication
import ConclaveWire

/// Target `recovery`: a start from files that were changed after a daemon had written them. It is
/// refused with a reason, or it goes on, and then the next start reads what this one wrote.
struct DamagedDisk {
    private static let maximumEdits = 24

    private var source: ByteSource
    private var files: [String: [UInt8]]

    static func run(_ bytes: [UInt8]) {
        var source = ByteSource(bytes)
        let kind = source.choice(of: WrittenDisk.all.count)
        var damaged = DamagedDisk(source: source, files: WrittenDisk.all[kind].files)
        damaged.runAll(configured: WrittenDisk.all[kind].configured)
    }

    private mutating func runAll(configured: [NodeID]) {
        let isSealed = source.choice(of: 4) != 3
        for _ in 0..<Self.maximumEdits where !source.isEmpty { edit() }
        if isSealed {
            for name in files.keys {
                let number = UInt64(name.drop { !$0.isNumber }) ?? 0
                FileSeals.renew(&files[name]!, segment: number)
            }
        }
        let disk = FuzzDisk(files: files)
        let now = Instant(nanoseconds: 1_000_000_000)
        guard
            let node = try? MeshNode(
                NodeID(1), of: configured, incarnation: 90, disk: disk, now: now)
        else { return }
        live(node, since: now)
        guard node.fault == nil else { return }
        disk.crash()
        do {
            let again = try MeshNode(
                NodeID(1), of: configured, incarnation: 91, disk: disk, now: now)
            live(again, since: now)
        } catch {
            broken("a start does not read what the one before wrote: \(error)")
        }
    }

    private func live(_ node: MeshNode, since start: Instant) {
        var now = start
        for _ in 0..<24 {
            now = now.advanced(by: .milliseconds(50))
            node.turn(now: now)
        }
        guard node.replica.isServing else { return }
        _ = node.replica.propose(Command.openGrants(epoch: node.replica.view.epoch).bytes)
        node.turn(now: now)
    }

    // MARK: - What happens to files

    private mutating func edit() {
        let names = files.keys.sorted()
        guard !names.isEmpty else { return }
        let name = names[source.choice(of: names.count)]
        switch source.choice(of: 16) {
        case 0: files[name] = nil
        case 1: files[name] = Array(files[name]!.prefix(Int(source.word16())))
        case 2: files[source.pick(names)] = files[name]
        case 3: files[strangeName()] = files[name]
        case 4: swapSectors(of: name)
        case 5:
            files[name]!.replaceSubrange(sector(of: name), with: [UInt8](repeating: 0, count: 512))
        case 6, 7, 8: editTwins(of: name)
        default: editSector(of: name)
        }
    }

    /// Both copies of the view journal alike, else the other one is believed.
    private mutating func editTwins(of name: String) {
        let twins = ["views.a", "views.b"]
        guard files[twins[0]] == files[twins[1]], files[twins[0]] != nil else {
            return editSector(of: name)
        }
        editSector(of: twins[0])
        files[twins[1]] = files[twins[0]]
    }

    /// The first bytes of a sector: that is where headers and records are.
    private mutating func editSector(of name: String) {
        let range = sector(of: name)
        guard !range.isEmpty else { return }
        var bytes = Array(files[name]![range])
        let size = bytes.count
        source.edit(&bytes)
        bytes = Array(bytes.prefix(size)) + Array(repeating: 0, count: max(0, size - bytes.count))
        files[name]!.replaceSubrange(range, with: bytes)
    }

    private mutating func sector(of name: String) -> Range<Int> {
        let count = files[name]!.count
        let sectors = max(1, count / 512)
        // Files are mostly zeros at their end.
        let start = min(count, source.choice(of: min(sectors, 24)) * 512)
        return start..<min(count, start + 512)
    }

    private mutating func swapSectors(of name: String) {
        let first = sector(of: name)
        let second = sector(of: name)
        guard first.count == second.count else { return }
        let bytes = Array(files[name]![first])
        files[name]!.replaceSubrange(first, with: Array(files[name]![second]))
        files[name]!.replaceSubrange(second, with: bytes)
    }

    private mutating func strangeName() -> String {
        source.pick([
            "segment-0000000001", "segment-0000000007", "segment-18446744073709551615",
            "segment-18446744073709551614", "segment-+5", "segment-", "segment-x",
            "snapshot-ffffffffffffffff", "snapshot-0000000000000000", "snapshot-zzzzzzzzzzzzzzzz",
            "views.a", "views.b", "views.a.new", "snapshot-0001000000000002.unfinished", "",
        ])
    }
}
