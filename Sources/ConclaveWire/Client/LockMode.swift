/// How a lock is asked for and held.
package enum LockMode: Hashable, Sendable {
    case exclusive
    case shared
    /// A part of a semaphore, which gives out so many permits at once and no more. `of`: its limit
    /// as the request knows it; `nil`: whatever it is.
    case permits(UInt32, of: UInt32? = nil)

    private enum Kind: UInt8 {
        case exclusive = 1
        case shared = 2
        case permits = 3
    }

    /// A semaphore's limit is kept in one place, so that a request need not name it.
    package var limit: UInt32? {
        if case .permits(_, let limit) = self { limit } else { nil }
    }

    /// How many permits of a semaphore it is about; `nil`: of a lock that is none.
    package var permitCount: UInt32? {
        if case .permits(let count, _) = self { count } else { nil }
    }

    package func encode(into writer: inout ByteWriter) {
        switch self {
        case .exclusive: writer.integer(Kind.exclusive.rawValue)
        case .shared: writer.integer(Kind.shared.rawValue)
        case .permits(let count, let limit):
            writer.integer(Kind.permits.rawValue)
            writer.integer(count)
            writer.optional(limit)
        }
    }

    package init(from reader: inout ByteReader) throws(WireError) {
        let kind: Kind = try reader.choice("mode")
        switch kind {
        case .exclusive: self = .exclusive
        case .shared: self = .shared
        case .permits:
            let count: UInt32 = try reader.integer("permits")
            guard count > 0 else { throw .invalid(field: "permits", reason: "must not be 0") }
            let limit: UInt32? = try reader.optional("limit")
            if let limit, count > limit {
                throw .outOfRange(
                    field: "permits", value: UInt64(count), maximum: UInt64(limit))
            }
            self = .permits(count, of: limit)
        }
    }
}
