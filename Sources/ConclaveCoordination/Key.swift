import ConclaveBase
import ConclaveWire
import DequeModule

/// A key of the configuration, with what is kept of its past.
struct Key: NamedRow {
    let name: ObjectName
    /// By version; the last is what is so now. Never empty.
    fileprivate(set) var revisions: Deque<KeyRevision>

    init(name: ObjectName, _ revision: KeyRevision) {
        self.name = name
        revisions = [revision]
    }

    var newest: KeyRevision { revisions[revisions.count - 1] }

    /// What it was at `version`; `nil`: nothing that is known of, so that it was absent.
    func revision(at version: Version) -> KeyRevision? {
        let count = countOfRevisions(upTo: version)
        return count > 0 ? revisions[count - 1] : nil
    }

    /// The entry that it was at `version`; `nil`: it was absent.
    func entry(at version: Version) -> KeyEntry? {
        revision(at: version)?.entry(name)
    }

    mutating func append(_ revision: KeyRevision) {
        revisions.append(revision)
    }

    mutating func replaceNewest(by revision: KeyRevision) {
        revisions[revisions.count - 1] = revision
    }

    /// Forgets what was superseded by `version`, and returns how many bytes of values went.
    mutating func forget(before version: Version) -> Int {
        var byteCount = 0
        while revisions.count > 1, revisions[1].version <= version {
            byteCount += revisions.removeFirst().valueByteCount
        }
        return byteCount
    }

    private func countOfRevisions(upTo version: Version) -> Int {
        if let last = revisions.last, last.version <= version { return revisions.count }
        var low = 0
        var high = revisions.count
        while low < high {
            let middle = (low + high) / 2
            if revisions[middle].version <= version { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

/// What became of a key at a version.
struct KeyRevision: Equatable, Sendable {
    enum Content: Equatable, Sendable {
        case present(Present)
        case deleted
        case sessionEnded
    }

    struct Present: Equatable, Sendable {
        var created: Version
        var putCount: UInt64
        /// The session that it goes with.
        var session: SessionID?
        /// Of the process that put it: its bytes count for that user.
        var uid: UInt32
        var value: [UInt8]
    }

    var version: Version
    var time: Timestamp
    var content: Content

    var present: Present? {
        if case .present(let present) = content { present } else { nil }
    }

    var valueByteCount: Int { present?.value.count ?? 0 }

    var stamp: KeyStamp? {
        present.map {
            KeyStamp(
                created: $0.created, modified: version, putCount: $0.putCount,
                session: $0.session)
        }
    }

    func entry(_ name: ObjectName) -> KeyEntry? {
        guard let present, let stamp else { return nil }
        return KeyEntry(name: name, stamp: stamp, time: time, value: present.value)
    }

    func change(of name: ObjectName) -> KeyChange {
        let kind: KeyChange.Kind
        switch content {
        case .present(let present):
            kind = .put(
                KeyStamp(
                    created: present.created, modified: version, putCount: present.putCount,
                    session: present.session), value: present.value)
        case .deleted: kind = .deleted
        case .sessionEnded: kind = .sessionEnded
        }
        return KeyChange(name: name, version: version, time: time, kind: kind)
    }
}
