import ConclaveBase
import ConclaveGroup
import ConclaveWire

/// A journal that lacks what was acknowledged: whose it was, as far as that can still be told, and
/// its files, which are kept for an operator under names that no recovery reads (V30).
struct LostJournal {
    /// Its presence says that the state on this disk is not that of the group.
    static let differingMarker = "state-differs"
    private static let prefix = "aside-"
    /// How many journals are kept: room is needed for the new one.
    private static let keptCount: UInt32 = 2

    private(set) var loss: ViewMemory.Loss
    /// Of any record that was still to be read.
    private(set) var lastSequence: UInt64 = 0
    private(set) var viewFiles: [String] = []
    private var otherFiles: [String] = []
    private var oldFiles: [String] = []

    /// Looks at everything that is there and trusts only what is whole.
    init(on disk: any Disk, settings: ReplicaSettings) throws(FatalFault) {
        loss = ViewMemory.Loss(lineage: .none, epoch: .none, number: 1)
        let names: [String]
        do { names = try disk.list().sorted() } catch { throw .disk(error) }
        readViews(on: disk, settings: settings)
        for name in names {
            if ViewJournal.files.contains(name) {
                viewFiles.append(name)
            } else if Self.isOfJournal(name) {
                otherFiles.append(name)
                takeLineage(of: name, on: disk)
            } else if let number = Self.number(of: name) {
                loss.number = max(loss.number, number &+ 1)
            }
        }
        oldFiles = names.filter {
            Self.isTooOld($0, at: loss.number) || SpareFiles.number(of: $0) != nil
        }
    }

    /// What a journal that begins anew finds of the one that is being set aside: the process ended
    /// in the middle of it.
    init(rest loss: ViewMemory.Loss, on disk: any Disk) throws(FatalFault) {
        self.loss = loss
        let names: [String]
        do { names = try disk.list().sorted() } catch { throw .disk(error) }
        otherFiles = names.filter(Self.isOfJournal)
        oldFiles = names.filter {
            Self.isTooOld($0, at: loss.number) || SpareFiles.number(of: $0) != nil
        }
    }

    /// Whether a file was set aside, by its name.
    static func isAside(_ name: String) -> Bool { number(of: name) != nil }

    func asideName(_ file: String) -> String { "\(Self.prefix)\(loss.number)-\(file)" }

    /// Moves everything but the view journal; `tag` completes when the names are durable.
    func setAside(on disk: any Disk, tag: UInt64) {
        for file in otherFiles {
            disk.submit(.rename(file, to: asideName(file)), lane: .views, tag: 0)
        }
        for file in oldFiles { disk.submit(.remove(file), lane: .views, tag: 0) }
        disk.submit(.syncDirectory, lane: .views, tag: tag)
    }

    private static func isOfJournal(_ name: String) -> Bool {
        SegmentFormat.number(of: name) != nil || SnapshotFile.isName(name)
            || name == differingMarker
    }

    private static func number(of name: String) -> UInt32? {
        guard name.hasPrefix(prefix) else { return nil }
        return name.dropFirst(prefix.count).split(separator: "-").first.flatMap { UInt32($0) }
    }

    private static func isTooOld(_ name: String, at number: UInt32) -> Bool {
        guard let own = self.number(of: name) else { return false }
        return number >= keptCount && own <= number - keptCount
    }

    private mutating func readViews(on disk: any Disk, settings: ReplicaSettings) {
        var bodies: [UInt64: [UInt8]] = [:]
        for file in ViewJournal.files {
            let copy = try? ViewJournalCopy(
                file, on: disk, owner: settings.own.node,
                smallestFile: settings.viewJournalByteCount)
            guard let copy else { continue }
            bodies.merge(copy.bodies) { mine, _ in mine }
            lastSequence = max(lastSequence, copy.first ?? 0)
        }
        for sequence in bodies.keys.sorted() {
            lastSequence = max(lastSequence, sequence)
            var reader = ByteReader(bodies[sequence] ?? [])
            guard let entry = try? ViewJournalFormat.Entry(from: &reader), let record = entry.record
            else { continue }
            read(record)
        }
    }

    private mutating func read(_ record: ViewRecord) {
        switch record {
        case .founding(let lineage, _): loss.lineage = lineage
        case .accept(_, let value): loss.lineage = value.lineage
        case .installed(let value, _):
            loss.lineage = value.lineage
            loss.epoch = value.epoch
            loss.list = value.list
        case .lost(let earlier):
            loss = earlier
            loss.number = earlier.number &+ 1
        case .promise, .joining: break
        }
    }

    private mutating func takeLineage(of file: String, on disk: any Disk) {
        guard loss.lineage == .none, SegmentFormat.number(of: file) != nil,
            let bytes = try? disk.read(file, at: 0, count: Sector.byteCount),
            let header = SegmentFormat.Header(in: bytes)
        else { return }
        loss.lineage = header.lineage
    }
}
