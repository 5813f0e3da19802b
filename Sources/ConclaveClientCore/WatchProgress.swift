package import ConclaveBase
package import ConclaveWire

/// How far a watch of keys has come, over all its connections.
///
/// Others rely on this: what `take` gives is a whole state first; then every change once, in order,
/// and nothing is missing up to `upTo`, unless another whole state comes.
struct WatchProgress {
    /// Of everything up to here nothing is missing: from here on it is resumed.
    private(set) var upTo: Version?
    /// The newest change that was told, beyond `upTo` or of it.
    private var last: (version: Version, name: ObjectName)?
    /// Of a state that is still coming.
    private var gathered: (version: Version, isResync: Bool, entries: [KeyEntry])?

    init(from: Version?) {
        upTo = from
    }

    /// What is to be told now; `nil`: more must come first.
    mutating func take(_ news: KeyNews) -> ClientCore.KeyUpdate? {
        switch news {
        case .state(let part): return take(part)
        case .changes(let changes, let upTo):
            let fresh = changes.filter(isNew)
            if let newest = fresh.last { last = (newest.version, newest.name) }
            self.upTo = max(self.upTo ?? .zero, upTo)
            return .changes(fresh, upTo: self.upTo ?? upTo)
        }
    }

    private func isNew(_ change: KeyChange) -> Bool {
        if let upTo, change.version <= upTo { return false }
        guard let last else { return true }
        return (last.version, last.name) < (change.version, change.name)
    }

    private mutating func take(_ part: KeyStatePart) -> ClientCore.KeyUpdate? {
        if part.isFirst { gathered = (part.version, part.isResync, []) }
        guard gathered?.version == part.version else { return nil }
        gathered?.entries += part.entries
        guard part.isLast, let whole = gathered else { return nil }
        gathered = nil
        last = nil
        upTo = whole.version
        return .state(whole.entries, at: whole.version, isResync: whole.isResync)
    }

    /// The connection is gone: what of a state has come is of no use.
    mutating func interrupt() { gathered = nil }
}

extension ClientCore {
    /// What a watcher of keys is told.
    package enum KeyUpdate: Equatable, Sendable {
        /// The whole state at a version. With `isResync` changes since what was told before may be
        /// missing.
        case state([KeyEntry], at: Version, isResync: Bool)
        /// By version and name; none is missing up to `upTo`.
        case changes([KeyChange], upTo: Version)
    }
}
