import ConclaveBase

/// Names by bytes, each with the index of its row, in pieces: what comes or goes moves no more than
/// one piece, however many there are.
struct SortedNames: Sendable {
    struct Entry: Sendable {
        var name: ObjectName
        var index: Int
    }

    struct Place: Equatable, Sendable {
        fileprivate var piece: Int
        fileprivate var offset: Int
    }

    private static var maximumCount: Int { 256 }

    /// None is empty.
    private var pieces: [[Entry]] = []

    /// The first name that is not before `text`.
    func first(from text: String) -> Place? {
        first { !$0.text.utf8.lexicographicallyPrecedes(text.utf8) }
    }

    /// The first name after `name`.
    func first(after name: ObjectName) -> Place? {
        first { name < $0 }
    }

    func place(after place: Place) -> Place? {
        let offset = place.offset + 1
        if offset < pieces[place.piece].count { return Place(piece: place.piece, offset: offset) }
        let piece = place.piece + 1
        return piece < pieces.count ? Place(piece: piece, offset: 0) : nil
    }

    subscript(place: Place) -> Entry { pieces[place.piece][place.offset] }

    /// Rows whose names begin with `prefix` and come after `after`, by name, up to `maximum` of them,
    /// and whether these are all.
    func page(
        prefix: String, after: ObjectName?, maximum: Int
    ) -> (indexes: [Int], isWhole: Bool) {
        var indexes: [Int] = []
        var place = first(from: prefix)
        if let after, !after.text.utf8.lexicographicallyPrecedes(prefix.utf8) {
            place = first(after: after)
        }
        while let found = place, self[found].name.text.utf8.starts(with: prefix.utf8) {
            if indexes.count == maximum { return (indexes, false) }
            indexes.append(self[found].index)
            place = self.place(after: found)
        }
        return (indexes, true)
    }

    /// - Precondition: the name is not there.
    mutating func insert(_ name: ObjectName, index: Int) {
        let entry = Entry(name: name, index: index)
        guard !pieces.isEmpty else {
            pieces = [[entry]]
            return
        }
        let place =
            first { name < $0 }
            ?? Place(piece: pieces.count - 1, offset: pieces[pieces.count - 1].count)
        pieces[place.piece].insert(entry, at: place.offset)
        guard pieces[place.piece].count > Self.maximumCount else { return }
        let half = Self.maximumCount / 2
        pieces.insert(Array(pieces[place.piece][half...]), at: place.piece + 1)
        pieces[place.piece].removeSubrange(half...)
    }

    /// - Precondition: the name is there.
    mutating func remove(_ name: ObjectName) {
        guard let place = first(where: { !($0 < name) }), self[place].name == name else {
            preconditionFailure("\(name) is not there")
        }
        pieces[place.piece].remove(at: place.offset)
        if pieces[place.piece].isEmpty { pieces.remove(at: place.piece) }
    }

    /// The first name for which `isAtOrAfter` is true: it is for all that follow.
    private func first(where isAtOrAfter: (ObjectName) -> Bool) -> Place? {
        let piece = Self.first(in: pieces.count) { piece in
            isAtOrAfter(pieces[piece][pieces[piece].count - 1].name)
        }
        guard piece < pieces.count else { return nil }
        let offset = Self.first(in: pieces[piece].count) { isAtOrAfter(pieces[piece][$0].name) }
        return Place(piece: piece, offset: offset)
    }

    private static func first(in count: Int, where isAtOrAfter: (Int) -> Bool) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if isAtOrAfter(middle) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
