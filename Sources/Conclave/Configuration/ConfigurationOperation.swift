public import ConclaveBase
package import ConclaveWire

/// A change that a transaction makes of one key.
public struct ConfigurationOperation: Hashable, Sendable {
    private enum Kind: Hashable {
        case put([UInt8], ephemeral: Bool)
        case delete
    }

    public let key: String
    private let kind: Kind

    /// Sets the key; see `Configuration.put`.
    public static func put(
        _ key: String, _ value: [UInt8], ephemeral: Bool = false
    ) -> ConfigurationOperation {
        ConfigurationOperation(key: key, kind: .put(value, ephemeral: ephemeral))
    }

    public static func put(
        _ key: String, _ value: String, ephemeral: Bool = false
    ) -> ConfigurationOperation {
        put(key, Array(value.utf8), ephemeral: ephemeral)
    }

    /// Deletes the key, if it is there.
    public static func delete(_ key: String) -> ConfigurationOperation {
        ConfigurationOperation(key: key, kind: .delete)
    }

    package func wire() throws(ConclaveError) -> KeyOperation {
        let name = try Conclave.name(key)
        switch kind {
        case .put(let value, let ephemeral):
            guard value.count <= ClientLimits.keyValue else {
                throw ConclaveError(
                    .invalid,
                    "the value of \(key) has \(value.count) bytes, at most "
                        + "\(ClientLimits.keyValue) are possible")
            }
            return .put(name, value: value, isEphemeral: ephemeral)
        case .delete: return .delete(name)
        }
    }
}

/// What a key must be for a transaction to happen.
public struct ConfigurationCompare: Hashable, Sendable {
    public struct Expectation: Hashable, Sendable, CustomStringConvertible {
        fileprivate enum Kind: Hashable {
            case absent
            case present
            case version(Version)
        }

        fileprivate let kind: Kind

        public static let absent = Expectation(kind: .absent)
        public static let present = Expectation(kind: .present)

        /// It is there, and was put last at `version`.
        public static func version(_ version: Version) -> Expectation {
            Expectation(kind: .version(version))
        }

        public var description: String {
            switch kind {
            case .absent: "absent"
            case .present: "present"
            case .version(let version): "at version \(version)"
            }
        }
    }

    public let key: String
    public let expectation: Expectation

    public init(_ key: String, is expectation: Expectation) {
        self.key = key
        self.expectation = expectation
    }

    package func wire() throws(ConclaveError) -> KeyCompare {
        let name = try Conclave.name(key)
        switch expectation.kind {
        case .absent: return KeyCompare(name, .absent)
        case .present: return KeyCompare(name, .present)
        case .version(let version): return KeyCompare(name, .version(version))
        }
    }
}

/// A transaction that happened.
public struct ConfigurationResult: Hashable, Sendable {
    /// At which it happened: that of every key that it put.
    public let version: Version
    /// How many keys are not as they were: deleting one that is not there changes none.
    public let changedCount: Int
}

/// Why a transaction did not happen: the first compare that did not hold.
public struct ConfigurationConflict: Hashable, Sendable {
    /// Which of the compares, from 0 on.
    public let index: Int
    public let key: String
    /// What was there; `nil`: the key was absent.
    public let found: ConfigurationStamp?
    /// At which it was compared.
    public let version: Version

    package init(_ mismatch: KeyMismatch) {
        index = Int(mismatch.index)
        key = mismatch.key.text
        found = mismatch.found.map(ConfigurationStamp.init)
        version = mismatch.version
    }
}
