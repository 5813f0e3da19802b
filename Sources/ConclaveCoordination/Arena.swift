/// Rows under dense indexes. An index stays with its row until the row is removed, then it is given
/// to another one: nothing that two replicas must agree on may depend on it.
///
/// The rows lie in chunks, and a copy shares all of them. So a copy that is kept, for a snapshot,
/// costs whoever goes on changing the arena a chunk at a time and never the whole of it. A row is
/// read and changed where it lies.
struct Arena<Row: Sendable>: Sendable {
    private var chunks: [ArenaChunk<Row>] = []
    /// Of all places, those in use and those in `free`.
    private var placeCount = 0
    private var free: [Int] = []

    var count: Int { placeCount - free.count }

    /// - Precondition: `index` is in use.
    // By its address. A coroutine that yields it would do as well, but where that is not inlined the
    // compiler (6.3.1) reads a part of a large row when the coroutine has ended, and its frame is freed.
    subscript(index: Int) -> Row {
        unsafeAddress { unsafe address(of: index) }
        unsafeMutableAddress { unsafe mutableAddress(of: index) }
    }

    /// Good as long as the arena is not changed.
    @unsafe func address(of index: Int) -> UnsafePointer<Row> {
        unsafe UnsafePointer(chunks[Self.chunk(of: index)].address(of: Self.place(of: index)))
    }

    /// Good as long as the arena is neither copied nor changed in another way.
    @unsafe mutating func mutableAddress(of index: Int) -> UnsafeMutablePointer<Row> {
        let chunk = Self.chunk(of: index)
        makeUnique(chunk)
        return unsafe chunks[chunk].address(of: Self.place(of: index))
    }

    mutating func insert(_ row: consuming Row) -> Int {
        let index = free.popLast() ?? makePlace()
        let chunk = Self.chunk(of: index)
        makeUnique(chunk)
        chunks[chunk].insert(row, at: Self.place(of: index))
        return index
    }

    /// - Precondition: `index` is in use.
    @discardableResult
    mutating func remove(_ index: Int) -> Row {
        let chunk = Self.chunk(of: index)
        makeUnique(chunk)
        let row = chunks[chunk].remove(at: Self.place(of: index))
        free.append(index)
        return row
    }

    private mutating func makePlace() -> Int {
        if Self.place(of: placeCount) == 0 { chunks.append(ArenaChunk()) }
        placeCount += 1
        return placeCount - 1
    }

    private mutating func makeUnique(_ chunk: Int) {
        guard !isKnownUniquelyReferenced(&chunks[chunk]) else { return }
        chunks[chunk] = chunks[chunk].copy()
    }

    private static func chunk(of index: Int) -> Int { index / ArenaChunk<Row>.placeCount }
    private static func place(of index: Int) -> Int { index % ArenaChunk<Row>.placeCount }

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
            let chunk = Self.chunk(of: index)
            if let place = chunks[chunk].firstPlace(from: Self.place(of: index)) {
                return chunk * ArenaChunk<Row>.placeCount + place
            }
            index = (chunk + 1) * ArenaChunk<Row>.placeCount
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
