/// Why bytes from outside were refused. Each case names the field, so that the other side's author
/// can find the mistake.
package enum WireError: Error, Equatable, Sendable, CustomStringConvertible {
    case truncated(field: String, needed: Int, got: Int)
    case outOfRange(field: String, value: UInt64, maximum: UInt64)
    case unknown(field: String, value: UInt64)
    case notText(field: String)
    case invalid(field: String, reason: String)
    case trailing(byteCount: Int)

    package var description: String {
        switch self {
        case .truncated(let field, let needed, let got):
            "\(field): needs \(needed) bytes, \(got) are left"
        case .outOfRange(let field, let value, let maximum):
            "\(field): \(value) is larger than \(maximum)"
        case .unknown(let field, let value): "\(field): \(value) is not known"
        case .notText(let field): "\(field): is not UTF-8"
        case .invalid(let field, let reason): "\(field): \(reason)"
        case .trailing(let byteCount): "\(byteCount) bytes follow the last field"
        }
    }
}
