import ConclaveBase
import ConclaveCoordination
import ConclaveWire

/// What happened to objects, as far as it is kept, as plainly as it can be said: lists that are gone
/// through.
struct SpecifiedPast {
    struct Key: Hashable {
        var kind: HistoryKind
        var name: ObjectName
    }

    struct Object {
        /// The oldest first; never empty.
        var entries: [HistoryEntry] = []
        /// Of the newest entry that was forgotten, or might have been.
        var floor: Version
        var floorTime: Timestamp
    }

    private(set) var objects: [Key: Object] = [:]
    /// Of objects of which nothing is kept.
    private(set) var floor = Version.zero
    private(set) var floorTime = Timestamp.zero
    private(set) var nextOrdinal: UInt64 = 0

    mutating func note(
        _ event: ObjectEvent, _ key: Key, in epoch: Epoch, at version: Version, _ time: Timestamp,
        _ quotas: Quotas
    ) -> HistoryEntry {
        let entry = HistoryEntry(
            ordinal: nextOrdinal, version: version, time: time, epoch: epoch, kind: key.kind,
            event: event)
        nextOrdinal += 1
        objects[key, default: Object(floor: floor, floorTime: floorTime)].entries.append(entry)
        if objects[key]!.entries.count > quotas.historyCountPerObject { forgetFirst(of: key) }
        while count > quotas.historyCount || byteCount > quotas.historyByteCount, let oldest {
            forgetFirst(of: oldest)
        }
        return entry
    }

    mutating func forgetAll(at version: Version, _ time: Timestamp) {
        self = SpecifiedPast()
        floor = version
        floorTime = time
    }

    /// The object to which the first thing happened that is kept.
    private var oldest: Key? {
        objects.min { $0.value.entries[0].ordinal < $1.value.entries[0].ordinal }?.key
    }

    var count: Int { objects.values.reduce(0) { $0 + $1.entries.count } }

    private var byteCount: Int {
        objects.reduce(0) { sum, object in
            sum + 128 + object.key.name.text.utf8.count
                + object.value.entries.reduce(0) { sum, entry in
                    sum + 192 + (entry.event.holder?.label.utf8.count ?? 0)
                }
        }
    }

    private mutating func forgetFirst(of key: Key) {
        let gone = objects[key]!.entries.removeFirst()
        objects[key]!.floor = gone.version
        objects[key]!.floorTime = gone.time
        guard objects[key]!.entries.isEmpty else { return }
        objects[key] = nil
        if floor < gone.version { (floor, floorTime) = (gone.version, gone.time) }
    }
}

extension Specification {
    mutating func note(_ event: ObjectEvent, _ kind: HistoryKind, _ name: ObjectName) {
        let key = SpecifiedPast.Key(kind: kind, name: name)
        let entry = past.note(event, key, in: view.epoch, at: version, time, quotas)
        happened.append((key, entry))
    }

    mutating func note(_ event: ObjectEvent, _ key: ObjectKey) {
        note(event, key.kind == .lock ? .lock : .leaderSlot, key.name)
    }

    func holder(_ id: SessionID) -> HistoryHolder {
        let session = sessions[id]!
        let process = HistoryHolder.Process(
            session: id, host: session.process.host, pid: session.process.pid)
        return HistoryHolder(process: process, uid: session.process.uid, label: session.label)
    }

    func holding(_ claim: SpecifiedQueue.Claim, _ key: ObjectKey) -> HistoryHolding {
        HistoryHolding(
            holder: holder(claim.session), token: FencingToken(claim.token), since: claim.since,
            mode: key.kind == .lock ? claim.mode : .exclusive, place: claim.place)
    }
}

extension HoldingEnd {
    init(_ reason: SessionEnd) {
        self =
            switch reason {
            case .goodbye: .goodbye
            case .died: .died
            case .expired: .expired
            case .hostLost: .hostLost
            case .forced: .forced
            }
    }
}

extension PreviousEnd {
    init(_ end: HoldingEnd) {
        self =
            switch end {
            case .released, .handedOver, .transferred: .released
            case .goodbye: .goodbye
            case .died: .died
            case .expired, .hostLost, .givenUp: .expired
            case .forced: .forced
            }
    }
}
