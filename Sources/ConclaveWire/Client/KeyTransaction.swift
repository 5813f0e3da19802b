package import ConclaveBase

/// What one request does to keys of the configuration: if all compares hold, all operations happen,
/// at one version; else nothing does.
package struct KeyTransaction: Equatable, Sendable {
    package var compares: [KeyCompare]
    package var operations: [KeyOperation]

    package init(compares: [KeyCompare] = [], operations: [KeyOperation]) {
        self.compares = compares
        self.operations = operations
    }

    package init(from reader: inout ByteReader) throws(WireError) {
        compares = []
        for _ in 0..<(try reader.count("compares", maximum: ClientLimits.transactionCompares)) {
            compares.append(try KeyCompare(from: &reader))
        }
        operations = []
        let count = try reader.count("operations", maximum: ClientLimits.transactionOperations)
        for _ in 0..<count { operations.append(try KeyOperation(from: &reader)) }
    }

    package func encode(into writer: inout ByteWriter) {
        writer.list(compares) { $0.encode(into: &$1) }
        writer.list(operations) { $0.encode(into: &$1) }
    }
}

/// What a key must be for a transaction to happen.
package struct KeyCompare: Equatable, Sendable {
    package enum Expectation: Equatable, Sendable {
        case absent
        case present
        /// It is there, and was changed last at that version.
        case version(Version)

        private enum Kind: UInt8 {
            case absent = 1
            case present = 2
            case version = 3
        }

        fileprivate init(from reader: inout ByteReader) throws(WireError) {
            let kind: Kind = try reader.choice("expectation")
            switch kind {
            case .absent: self = .absent
            case .present: self = .present
            case .version: self = .version(try reader.version("expected version"))
            }
        }

        fileprivate func encode(into writer: inout ByteWriter) {
            switch self {
            case .absent: writer.integer(Kind.absent.rawValue)
            case .present: writer.integer(Kind.present.rawValue)
            case .version(let version):
                writer.integer(Kind.version.rawValue)
                writer.integer(version.number)
            }
        }
    }

    package var key: ObjectName
    package var expectation: Expectation

    package init(_ key: ObjectName, _ expectation: Expectation) {
        self.key = key
        self.expectation = expectation
    }

    package init(from reader: inout ByteReader) throws(WireError) {
        key = try reader.name("compared key")
        expectation = try Expectation(from: &reader)
    }

    package func encode(into writer: inout ByteWriter) {
        writer.name(key)
        expectation.encode(into: &writer)
    }
}

/// A change that a transaction makes. In one transaction no key is named by two of them.
package enum KeyOperation: Equatable, Sendable {
    /// With `isEphemeral` the key goes with the session that puts it; else it stays, whoever had put
    /// it before.
    case put(ObjectName, value: [UInt8], isEphemeral: Bool)
    /// Of a key that is not there: no change.
    case delete(ObjectName)

    private enum Kind: UInt8 {
        case put = 1
        case delete = 2
    }

    package var key: ObjectName {
        switch self {
        case .put(let key, _, _), .delete(let key): key
        }
    }

    package init(from reader: inout ByteReader) throws(WireError) {
        let kind: Kind = try reader.choice("key operation")
        let key = try reader.name("key")
        switch kind {
        case .put:
            let isEphemeral = try reader.flag("ephemeral")
            self = .put(
                key, value: try reader.bytes("value", maximum: ClientLimits.keyValue),
                isEphemeral: isEphemeral)
        case .delete: self = .delete(key)
        }
    }

    package func encode(into writer: inout ByteWriter) {
        switch self {
        case .put(let key, let value, let isEphemeral):
            writer.integer(Kind.put.rawValue)
            writer.name(key)
            writer.flag(isEphemeral)
            writer.bytes(value)
        case .delete(let key):
            writer.integer(Kind.delete.rawValue)
            writer.name(key)
        }
    }
}
