import ConclaveBase

/// The sessions that are attached to this daemon, to be gone through in the order of their ids.
struct LocalSessions {
    private var rows: [SessionID: LocalSession] = [:]
    /// Sorted; new ones come last but for those that are resumed here.
    private(set) var ids: [SessionID] = []

    var values: Dictionary<SessionID, LocalSession>.Values { rows.values }

    subscript(id: SessionID) -> LocalSession? {
        get { rows[id] }
        _modify {
            let count = rows.count
            yield &rows[id]
            if rows.count != count { note(id, isThere: rows.count > count) }
        }
    }

    /// Changes a session where it is, if it is there.
    mutating func change<Result>(
        _ id: SessionID, _ body: (inout LocalSession) -> Result
    ) -> Result? {
        rows.change(id, body)
    }

    mutating func removeValue(forKey id: SessionID) -> LocalSession? {
        guard let row = rows.removeValue(forKey: id) else { return nil }
        note(id, isThere: false)
        return row
    }

    private mutating func note(_ id: SessionID, isThere: Bool) {
        var low = 0
        var high = ids.count
        if let last = ids.last, last < id { low = high }
        while low < high {
            let middle = (low + high) / 2
            if ids[middle] < id { low = middle + 1 } else { high = middle }
        }
        if isThere { ids.insert(id, at: low) } else { ids.remove(at: low) }
    }
}
