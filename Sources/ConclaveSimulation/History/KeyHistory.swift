import ConclaveBase
import ConclaveWire

/// What happened to keys of the configuration.
///
/// Every answer says at which version it is true, and versions are one order of everything. So no
/// order has to be searched for: that of the versions must respect time (what began after something
/// was answered has a later version, or for a read no earlier one), and along it every read, compare
/// and watch must show what the writes before it have left. Together that is linearizability of all
/// keys at once, transactions included.
///
/// What was called and never answered may have happened, or not, at any time after. Where a history
/// was given up, versions go on in a later era, and what an earlier one had acknowledged may be gone:
/// of that only what is there is checked, not what is missing.
struct KeyHistory {
    struct Write {
        var operation: History.Operation
        var version: Version
        var transaction: KeyTransaction

        func operation(on name: ObjectName) -> KeyOperation? {
            transaction.operations.first { $0.key == name }
        }
    }

    let lives: [UInt64: History.Life]
    private let history: History
    /// Those that were answered, by version.
    private(set) var writes: [Write] = []
    /// By key, the places in `writes` of those that change it.
    private var writesByKey: [ObjectName: [Int]] = [:]
    private var placesByVersion: [Version: Int] = [:]
    /// Of the others, what they would do to each key.
    private var openOperations: [ObjectName: [(invoked: UInt64, operation: KeyOperation)]] = [:]

    init(_ history: History) {
        self.history = history
        lives = history.lives
    }

    var keyCount: Int { Set(writesByKey.keys).union(openOperations.keys).count }

    mutating func check() throws(Violation) {
        collect()
        try checkVersions()
        try checkTimes()
        for write in writes { try checkCompares(of: write) }
        for operation in history.operations { try checkMismatch(operation) }
        for read in history.reads { try check(read.what, answered: read.answered) }
        for key in history.watches.keys.sorted() {
            var watch = WatchHistory(key, self)
            for told in history.watches[key]! { try watch.take(told.what, at: told.at) }
        }
    }

    private mutating func collect() {
        for operation in history.operations {
            guard case .transact(let transaction) = operation.what.action else { continue }
            if case .written(let written)? = operation.answer {
                writes.append(
                    Write(
                        operation: operation, version: written.version,
                        transaction: transaction))
            } else if operation.isOpen {
                for change in transaction.operations {
                    openOperations[change.key, default: []].append((operation.invoked, change))
                }
            }
        }
        writes.sort { $0.version < $1.version }
        for (place, write) in writes.enumerated() {
            placesByVersion[write.version] = place
            for change in write.transaction.operations {
                writesByKey[change.key, default: []].append(place)
            }
        }
    }

    // MARK: - Versions and times

    private func checkVersions() throws(Violation) {
        for (earlier, later) in zip(writes, writes.dropFirst())
        where earlier.version == later.version {
            throw Violation(
                .exactlyOnce, "two transactions happened at version \(later.version)")
        }
    }

    private struct Point {
        var version: Version
        var invoked: UInt64
        var completed: UInt64
        var isWrite: Bool
        var what: String
    }

    private var points: [Point] {
        let written = writes.map { write in
            Point(
                version: write.version, invoked: write.operation.invoked,
                completed: write.operation.completed, isWrite: true,
                what: "a transaction of process \(write.operation.process)")
        }
        let compared = history.operations.compactMap { operation -> Point? in
            guard case .mismatched(let mismatch)? = operation.answer else { return nil }
            return Point(
                version: mismatch.version, invoked: operation.invoked,
                completed: operation.completed, isWrite: true,
                what: "a comparing transaction of process \(operation.process)")
        }
        let read = history.reads.compactMap { process, answered, read -> Point? in
            guard !read.query.isLocal, read.query.moment == .now else { return nil }
            return Point(
                version: read.report.version, invoked: read.asked, completed: answered,
                isWrite: false, what: "a read of process \(process)")
        }
        return written + compared + read
    }

    /// The order of the versions is one that time allows.
    private func checkTimes() throws(Violation) {
        let byInvocation = points.sorted { $0.invoked < $1.invoked }
        let byCompletion = points.sorted { $0.completed < $1.completed }
        var done = 0
        var newest: Point?
        for point in byInvocation {
            while done < byCompletion.count, byCompletion[done].completed < point.invoked {
                if newest.map({ $0.version < byCompletion[done].version }) ?? true {
                    newest = byCompletion[done]
                }
                done += 1
            }
            guard let newest else { continue }
            let isInOrder =
                point.isWrite ? newest.version < point.version : newest.version <= point.version
            guard !isInOrder else { continue }
            throw Violation(
                .nothingLost,
                "\(point.what), begun at \(point.invoked), is of version \(point.version), but "
                    + "\(newest.what) of version \(newest.version) was answered before, at "
                    + "\(newest.completed)")
        }
    }

    // MARK: - What was there

    /// `entry` was seen at `version`, by somebody who was told at `told`.
    func checkPresent(
        _ name: ObjectName, _ stamp: KeyStamp, value: [UInt8]?, at version: Version,
        told: UInt64, by who: String
    ) throws(Violation) {
        guard stamp.created <= stamp.modified, stamp.modified <= version else {
            throw broken(name, "\(who) saw \(stamp) at version \(version)")
        }
        if let newest = newestWrite(of: name, upTo: version), newest.version > stamp.modified {
            throw broken(
                name,
                "\(who) saw at version \(version) what was put at \(stamp.modified), but it was "
                    + "changed at \(newest.version)")
        }
        guard let place = placesByVersion[stamp.modified] else {
            let isPossible = (openOperations[name] ?? []).contains { open in
                open.invoked <= told
                    && open.operation.puts(value, isEphemeral: stamp.session != nil)
            }
            guard !isPossible, !wasApplied(name, stamp, value: value) else { return }
            throw broken(
                name, "\(who) saw what was put at version \(stamp.modified), but nobody put it")
        }
        guard
            writes[place].operation(on: name)?
                .puts(value, isEphemeral: stamp.session != nil) == true
        else {
            throw broken(
                name,
                "\(who) saw \(value.map { "\($0)" } ?? "a value") of version \(stamp.modified), "
                    + "but that is not what was put then")
        }
    }

    /// What one member holds and had not applied when a history was given up is applied in the next
    /// era, under another version, though it had been answered in the one before; and maybe done,
    /// though a compare of it had not held there.
    private func wasApplied(_ name: ObjectName, _ stamp: KeyStamp, value: [UInt8]?) -> Bool {
        history.operations.contains { operation in
            guard case .transact(let transaction) = operation.what.action,
                let version = operation.answer?.version, version.era < stamp.modified.era
            else { return false }
            return transaction.operations.contains { change in
                change.key == name
                    && change.puts(value, isEphemeral: stamp.session != nil)
            }
        }
    }

    func checkAbsent(
        _ name: ObjectName, at version: Version, told: UInt64, by who: String
    ) throws(Violation) {
        guard let newest = newestWrite(of: name, upTo: version),
            case .put(_, _, let isEphemeral)? = newest.operation(on: name)
        else { return }
        // Somebody whose answer is not known may have deleted it.
        if (openOperations[name] ?? []).contains(where: { $0.invoked <= told }) { return }
        if isEphemeral, mayHaveEnded(newest.operation.process, by: told) { return }
        throw broken(
            name,
            "\(who) did not see it at version \(version), but it was put at \(newest.version)")
    }

    private func mayHaveEnded(_ process: UInt64, by told: UInt64) -> Bool {
        guard let life = lives[process] else { return true }
        return life.endsFrom <= told || life.wasLost
    }

    private func broken(_ name: ObjectName, _ message: String) -> Violation {
        Violation(.totalOrder, "key \(name): \(message)")
    }

    /// Of the same era, and answered.
    private func newestWrite(of name: ObjectName, upTo version: Version) -> Write? {
        guard let places = writesByKey[name] else { return nil }
        var low = 0
        var high = places.count
        while low < high {
            let middle = (low + high) / 2
            if writes[places[middle]].version <= version { low = middle + 1 } else { high = middle }
        }
        guard low > 0, writes[places[low - 1]].version.era == version.era else { return nil }
        return writes[places[low - 1]]
    }

    /// Keys that were changed after `start` and up to `end`, by name.
    func changedKeys(after start: Version, upTo end: Version) -> [ObjectName] {
        var names: Set<ObjectName> = []
        for write in writes where write.version > start && write.version <= end {
            names.formUnion(write.transaction.operations.map(\.key))
        }
        return names.sorted()
    }

    // MARK: - Compares and reads

    private func checkCompares(of write: Write) throws(Violation) {
        let before = Version(write.version.number &- 1)
        let told = write.operation.completed
        let who = "a compare of process \(write.operation.process)"
        for compare in write.transaction.compares {
            switch compare.expectation {
            case .absent: try checkAbsent(compare.key, at: before, told: told, by: who)
            case .present:
                guard let newest = newestWrite(of: compare.key, upTo: before),
                    case .delete? = newest.operation(on: compare.key),
                    (openOperations[compare.key] ?? []).allSatisfy({ $0.invoked > told })
                else { continue }
                throw broken(
                    compare.key, "\(who) saw it, but it was deleted at \(newest.version)")
            case .version(let version):
                guard version <= before else {
                    throw broken(compare.key, "\(who) saw version \(version), which came later")
                }
                guard let newest = newestWrite(of: compare.key, upTo: before),
                    newest.version > version
                else { continue }
                throw broken(
                    compare.key,
                    "\(who) saw version \(version) at \(before), but it was changed at "
                        + "\(newest.version)")
            }
        }
    }

    private func checkMismatch(_ operation: History.Operation) throws(Violation) {
        guard case .transact(let transaction) = operation.what.action,
            case .mismatched(let mismatch)? = operation.answer
        else { return }
        let who = "a compare of process \(operation.process)"
        guard transaction.compares.indices.contains(Int(mismatch.index)) else {
            throw broken(mismatch.key, "\(who) that there was not did not hold")
        }
        let compare = transaction.compares[Int(mismatch.index)]
        guard compare.key == mismatch.key, !compare.holds(for: mismatch.found) else {
            throw broken(mismatch.key, "\(who) did not hold, but should have: \(mismatch)")
        }
        if let found = mismatch.found {
            try checkPresent(
                compare.key, found, value: nil, at: mismatch.version, told: operation.completed,
                by: who)
        } else {
            try checkAbsent(
                compare.key, at: mismatch.version, told: operation.completed, by: who)
        }
    }

    private func check(_ read: HistoryRead, answered: UInt64) throws(Violation) {
        let report = read.report
        let selected: (ObjectName) -> Bool
        switch read.query.selection {
        case .key(let key): selected = { $0 == key }
        case .prefix(let prefix, let after, _):
            selected = { name in
                KeySelector.prefix(prefix).matches(name) && after.map { $0 < name } ?? true
                    && report.next.map { name <= $0 } ?? true
            }
        }
        var seen: Set<ObjectName> = []
        for entry in report.entries {
            guard selected(entry.name), seen.insert(entry.name).inserted else {
                throw broken(entry.name, "was not asked for, or came twice")
            }
            try checkPresent(
                entry.name, entry.stamp, value: read.query.namesOnly ? nil : entry.value,
                at: report.version, told: answered, by: "a reader")
        }
        for name in writesByKey.keys.sorted() where selected(name) && !seen.contains(name) {
            try checkAbsent(name, at: report.version, told: answered, by: "a reader")
        }
    }
}

extension HistoryAnswer {
    /// At which a transaction was decided.
    fileprivate var version: Version? {
        switch self {
        case .written(let written): written.version
        case .mismatched(let mismatch): mismatch.version
        default: nil
        }
    }
}

extension KeyOperation {
    /// `nil`: any value.
    fileprivate func puts(_ seen: [UInt8]?, isEphemeral seenAsEphemeral: Bool) -> Bool {
        guard case .put(_, let value, let isEphemeral) = self else { return false }
        return isEphemeral == seenAsEphemeral && seen.map { $0 == value } ?? true
    }
}

extension KeyCompare {
    fileprivate func holds(for found: KeyStamp?) -> Bool {
        switch expectation {
        case .absent: found == nil
        case .present: found != nil
        case .version(let version): found?.modified == version
        }
    }
}
