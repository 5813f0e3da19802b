public import ConclaveBase
package import ConclaveWire

/// What is known of a key that is there, beside its value.
public struct ConfigurationStamp: Hashable, Sendable {
    /// When it was put for the first time since it was absent last.
    public let created: Version
    /// When it was put last.
    public let modified: Version
    /// How often it was put since it was created; 1 for a new key.
    public let putCount: UInt64
    /// The session that it goes with; `nil`: it stays until it is deleted.
    public let session: SessionID?

    package init(_ stamp: KeyStamp) {
        created = stamp.created
        modified = stamp.modified
        putCount = stamp.putCount
        session = stamp.session
    }
}

/// A key with its value.
public struct ConfigurationEntry: Hashable, Sendable {
    public let key: String
    public let value: [UInt8]
    public let stamp: ConfigurationStamp
    /// When it was put last.
    public let time: Timestamp

    /// `value` as text; what is not UTF-8 is replaced.
    public var text: String { String(decoding: value, as: UTF8.self) }

    /// When it was put last, for `compareAndPut`.
    public var version: Version { stamp.modified }

    package init(_ entry: KeyEntry) {
        key = entry.name.text
        value = entry.value
        stamp = ConfigurationStamp(entry.stamp)
        time = entry.time
    }
}

/// Of which moment keys are to be told.
public struct ConfigurationMoment: Hashable, Sendable {
    private enum Kind: Hashable {
        case now
        case version(Version)
        case time(Timestamp)
    }

    private let kind: Kind

    public static let now = ConfigurationMoment(kind: .now)

    public static func version(_ version: Version) -> ConfigurationMoment {
        ConfigurationMoment(kind: .version(version))
    }

    /// As it was at that time of the group's order, which follows the members' wall clocks.
    public static func time(_ time: Timestamp) -> ConfigurationMoment {
        ConfigurationMoment(kind: .time(time))
    }

    var wire: KeyMoment {
        switch kind {
        case .now: .now
        case .version(let version): .version(version)
        case .time(let time): .time(time)
        }
    }
}

/// A key as it was at a version.
public struct ConfigurationReading: Hashable, Sendable {
    /// `nil`: it was absent.
    public let entry: ConfigurationEntry?
    public let version: Version
    /// How old the daemon's copy may be; zero: nothing that was acknowledged before the call is
    /// missing; `nil`: it has not been in a majority since it was started.
    public let age: Duration?

    package init(_ report: KeyReport) {
        entry = report.entries.first.map(ConfigurationEntry.init)
        version = report.version
        age = report.age.map { Duration($0) }
    }
}

/// Keys as they were at a version.
public struct ConfigurationListing: Hashable, Sendable {
    /// By name.
    public internal(set) var entries: [ConfigurationEntry]
    public let version: Version
    /// As in `ConfigurationReading`.
    public let age: Duration?

    package init(_ report: KeyReport) {
        entries = report.entries.map(ConfigurationEntry.init)
        version = report.version
        age = report.age.map { Duration($0) }
    }
}
