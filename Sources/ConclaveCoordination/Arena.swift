/// Rows under dense indexes. An index stays with its row until the row is removed, then it is given
/// to another one: nothing that two replicas must agree on may depend on it.
///
/// The rows lie in chunks, and a copy shares all of them. So a copy that is kept, for a snapshot,
/// costs whoever goes on changing the arena a chunk at a time and never the whole of it.
struct Arena<Row: Sendable>: Sendable {
    private static var chunkBits: Int { 7 }
    private static var chunkCount: Int { 1 << chunkBits }

    private var chunks: [[Row?]] = []
    /// Of all places, those in use and those in `free`.
    private var placeCount = 0
    private var free: [Int] = []

    var count: Int { placeCount - free.count }

    /// - Precondition: `index` is in use.
    subscript(index: Int) -> Row {
        get { chunks[index >> Self.chunkBits][index & (Self.chunkCount - 1)]! }
        _modify { yield &chunks[index >> Self.chunkBits][index & (Self.chunkCount - 1)]! }
    }

    mutating func insert(_ row: Row) -> Int {
        if let index = free.popLast() {
            set(row, at: index)
            return index
        }
        if placeCount & (Self.chunkCount - 1) == 0 {
            chunks.append([])
            chunks[chunks.count - 1].reserveCapacity(Self.chunkCount)
        }
        chunks[chunks.count - 1].append(row)
        placeCount += 1
        return placeCount - 1
    }

    @discardableResult
    mutating func remove(_ index: Int) -> Row {
        let row = self[index]
        set(nil, at: index)
        free.append(index)
        return row
    }

    private mutating func set(_ row: Row?, at index: Int) {
        chunks[index >> Self.chunkBits][index & (Self.chunkCount - 1)] = row
    }

    /// Those in use, in no order that may show.
    var indexes: [Int] {
        var indexes: [Int] = []
        indexes.reserveCapacity(count)
        var next = 0
        while let index = firstIndex(from: next) {
            indexes.append(index)
            next = index + 1
        }
        return indexes
    }

    /// The first index in use that is not below `start`.
    func firstIndex(from start: Int) -> Int? {
        var index = start
        while index < placeCount {
            if chunks[index >> Self.chunkBits][index & (Self.chunkCount - 1)] != nil {
                return index
            }
            index += 1
        }
        return nil
    }

    /// A copy to be read, while this one is changed: it shares the rows, and not what only a change
    /// needs.
    var frozen: Arena {
        var copy = self
        copy.free = []
        return copy
    }
}
