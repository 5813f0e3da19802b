/// Rows under dense indexes. An index stays with its row until the row is removed, then it is given
/// to another one: nothing that two replicas must agree on may depend on it.
struct Arena<Row: Sendable>: Sendable {
    private var rows: [Row?] = []
    private var free: [Int] = []

    var count: Int { rows.count - free.count }

    /// - Precondition: `index` is in use.
    subscript(index: Int) -> Row {
        get { rows[index]! }
        _modify { yield &rows[index]! }
    }

    mutating func insert(_ row: Row) -> Int {
        guard let index = free.popLast() else {
            rows.append(row)
            return rows.count - 1
        }
        rows[index] = row
        return index
    }

    @discardableResult
    mutating func remove(_ index: Int) -> Row {
        let row = self[index]
        rows[index] = nil
        free.append(index)
        return row
    }

    /// Those in use, in no order that may show.
    var indexes: [Int] { rows.indices.filter { rows[$0] != nil } }
}
