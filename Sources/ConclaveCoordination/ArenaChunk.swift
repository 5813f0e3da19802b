/// Some of an arena's rows, each in a place of its own.
///
/// It may be shared by arenas that live on different threads: whoever changes it has made sure that
/// nobody else refers to it.
@safe final class ArenaChunk<Row: Sendable>: @unchecked Sendable {
    static var placeCount: Int { UInt64.bitWidth }

    private let rows = UnsafeMutablePointer<Row>.allocate(capacity: placeCount)
    /// A bit for each place that has a row.
    private var used: UInt64 = 0

    deinit {
        forEachUsed { unsafe (rows + $0).deinitialize(count: 1) }
        unsafe rows.deallocate()
    }

    /// Where the row at `place` lies, as long as it is not removed.
    ///
    /// - Precondition: There is a row at `place`.
    @unsafe func address(of place: Int) -> UnsafeMutablePointer<Row> {
        precondition(isUsed(place), "nothing is at place \(place)")
        return unsafe rows + place
    }

    /// - Precondition: There is none.
    func insert(_ row: consuming Row, at place: Int) {
        precondition(place < Self.placeCount && !isUsed(place), "place \(place) is taken")
        unsafe (rows + place).initialize(to: row)
        used |= 1 << UInt64(place)
    }

    /// - Precondition: There is a row at `place`.
    func remove(at place: Int) -> Row {
        precondition(isUsed(place), "nothing is at place \(place)")
        used &= ~(1 << UInt64(place))
        return unsafe (rows + place).move()
    }

    func firstPlace(from start: Int) -> Int? {
        let later = used >> UInt64(start)
        return later == 0 ? nil : start + later.trailingZeroBitCount
    }

    func copy() -> ArenaChunk {
        let copy = ArenaChunk()
        forEachUsed { unsafe (copy.rows + $0).initialize(to: rows[$0]) }
        copy.used = used
        return copy
    }

    private func isUsed(_ place: Int) -> Bool { used >> UInt64(place) & 1 == 1 }

    private func forEachUsed(_ body: (Int) -> Void) {
        var next = firstPlace(from: 0)
        while let place = next {
            body(place)
            next = place + 1 < Self.placeCount ? firstPlace(from: place + 1) : nil
        }
    }
}
