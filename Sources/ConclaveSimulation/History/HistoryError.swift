/// Why a line is none of a history's, or does not fit the lines before it.
package enum HistoryError: Error, Equatable, Sendable {
    case lineTooLong(byteCount: Int, maximum: Int)
    /// It is not one flat JSON object; at that byte.
    case malformed(offset: Int)
    case missing(key: String)
    case unknown(key: String)
    case invalid(key: String, value: String)
    case twice(key: String)
    /// What the process says does not follow from what it said before.
    case outOfPlace(process: UInt64, what: String)
}
