import ConclaveBase
import ConclaveWire
import DequeModule

/// How locks were lost that nobody holds or awaits any more, if what was done under them may be half
/// done: whoever has such a lock next is told, however much later, unless the quota of others were
/// lost after it.
struct RememberedEnds: Sendable {
    /// When it was lost: ends of one version are in the order in which the locks were given up.
    struct Place: Comparable, Sendable {
        var version: Version
        var ordinal: UInt32

        static func < (lhs: Self, rhs: Self) -> Bool {
            (lhs.version, lhs.ordinal) < (rhs.version, rhs.ordinal)
        }
    }

    struct Entry: Sendable {
        var name: ObjectName
        var end: PreviousEnd
        var place: Place
    }

    /// The oldest first.
    private(set) var entries: Deque<Entry> = []
    private var places: [ObjectName: Place] = [:]

    func end(of name: ObjectName) -> PreviousEnd? {
        places[name].map { entries[index(of: $0)].end }
    }

    /// Nobody holds or awaits a lock any more whose last holder ended so at `version`. One that
    /// nobody has had since it was remembered keeps its place.
    mutating func note(
        _ end: PreviousEnd, of name: ObjectName, at version: Version, maximumCount: Int
    ) {
        guard end.isUnclean, places[name] == nil else { return }
        let last = entries.last?.place
        let ordinal = last.map { $0.version == version ? $0.ordinal + 1 : 0 } ?? 0
        append(Entry(name: name, end: end, place: Place(version: version, ordinal: ordinal)))
        guard entries.count > maximumCount else { return }
        places[entries.removeFirst().name] = nil
    }

    /// Somebody has it now, and was told.
    mutating func forget(_ name: ObjectName) {
        guard !places.isEmpty, let place = places.removeValue(forKey: name) else { return }
        entries.remove(at: index(of: place))
    }

    /// - Precondition: it comes after all others, and its name is not remembered.
    mutating func append(_ entry: Entry) {
        places[entry.name] = entry.place
        entries.append(entry)
    }

    private func index(of place: Place) -> Int {
        var (low, high) = (0, entries.count)
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].place < place { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

extension PreviousEnd {
    /// What its holder was doing may be half done.
    var isUnclean: Bool {
        switch self {
        case .died, .expired, .forced: true
        case .none, .released, .goodbye: false
        }
    }
}

extension RememberedEnds.Entry {
    func encode(into writer: inout ByteWriter) {
        writer.name(name)
        writer.integer(end.rawValue)
        writer.integer(place.version.number)
        writer.integer(place.ordinal)
    }

    init(from reader: inout ByteReader) throws(WireError) {
        name = try reader.name("name")
        end = try reader.choice("previous end")
        guard end.isUnclean else {
            throw .invalid(field: "previous end", reason: "\(end) is not remembered")
        }
        place = RememberedEnds.Place(
            version: try reader.version("lost at"), ordinal: try reader.integer("ordinal"))
    }
}
