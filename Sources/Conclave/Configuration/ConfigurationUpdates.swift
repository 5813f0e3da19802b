public import ConclaveBase
import ConclaveClientCore
package import ConclaveWire

/// What a watch tells, in order. New cases may be added: a `switch` needs a default.
public struct ConfigurationUpdate: Hashable, Sendable {
    /// What kind of news it is.
    public enum Kind: Hashable, Sendable {
        /// The whole state: `entries`, by name. It replaces what was known. First of all, or, with
        /// `isResync`, because changes since the last news may be missing.
        case state(isResync: Bool)
        /// One key is not as it was: `change`.
        case change
        /// For now there may be changes that are not told: no daemon is there, or it is outside
        /// the majority. The reason is for people.
        case doubtful(reason: String)
        /// Everything is told again.
        case assured
    }

    public let kind: Kind
    /// With `state`.
    public let entries: [ConfigurationEntry]
    /// With `change`.
    public let change: ConfigurationChange?
    /// Nothing up to this version is missing from what has been told: from here on a watch may be
    /// resumed. `nil` with `doubtful` and `assured`.
    public let version: Version?

    init(
        _ kind: Kind, entries: [ConfigurationEntry] = [], change: ConfigurationChange? = nil,
        version: Version? = nil
    ) {
        self.kind = kind
        self.entries = entries
        self.change = change
        self.version = version
    }
}

/// A key was put, or it is gone.
public struct ConfigurationChange: Hashable, Sendable {
    /// How a key came to be absent. New reasons may be added.
    public struct Removal: Hashable, Sendable, CustomStringConvertible {
        public let description: String

        public static let deleted = Removal(description: "deleted")
        /// It went with its session.
        public static let sessionEnded = Removal(description: "sessionEnded")
    }

    public let key: String
    /// At which it happened. Changes of one version were made together; they come by name.
    public let version: Version
    public let time: Timestamp
    /// What it is now; `nil`: it is absent.
    public let entry: ConfigurationEntry?
    /// Why it is absent; `nil`: it is not.
    public let removal: Removal?

    package init(_ change: KeyChange) {
        key = change.name.text
        version = change.version
        time = change.time
        switch change.kind {
        case .put(let stamp, let value):
            entry = ConfigurationEntry(
                KeyEntry(name: change.name, stamp: stamp, time: change.time, value: value))
            removal = nil
        case .deleted: (entry, removal) = (nil, .deleted)
        case .sessionEnded: (entry, removal) = (nil, .sessionEnded)
        }
    }
}

/// The news of a watch, one after the other, until it is dropped. It lasts over restarts of the
/// daemon: what changed meanwhile is told, or, when the history of that is gone, the whole state.
/// Each iteration asks anew.
public struct ConfigurationUpdates: AsyncSequence, Sendable {
    enum Subject: Sendable {
        case key(String)
        case prefix(String)

        func selector() throws(ConclaveError) -> KeySelector {
            switch self {
            case .key(let key): return .key(try Conclave.name(key))
            case .prefix(let prefix):
                try Configuration.check(prefix: prefix)
                return .prefix(prefix)
            }
        }
    }

    let conclave: Conclave
    let subject: Subject
    let from: Version?

    public func makeAsyncIterator() -> Iterator {
        Iterator(conclave: conclave, subject: subject, from: from)
    }

    public struct Iterator: AsyncIteratorProtocol {
        private let conclave: Conclave
        private let subject: Subject
        private let from: Version?
        private var reports: ReportStream.Iterator?
        /// Came in one report, and not given out yet; the next is the last.
        private var waiting: [ConfigurationUpdate] = []

        init(conclave: Conclave, subject: Subject, from: Version?) {
            self.conclave = conclave
            self.subject = subject
            self.from = from
        }

        /// - Throws: `sessionEnded` if the session is lost, `invalid` if the key is no proper name,
        ///   `quotaExceeded` if the connection follows too much.
        public mutating func next() async throws -> ConfigurationUpdate? {
            if reports == nil {
                let watch = KeyWatch(try subject.selector(), from: from)
                reports = conclave.session.stream(.watchKeys(watch), isEndless: true)
                    .makeAsyncIterator()
            }
            while waiting.isEmpty {
                guard let report = try await reports?.next(isolation: #isolation) else {
                    return nil
                }
                switch report {
                case .keyUpdate(let update): waiting = Self.updates(update).reversed()
                case .doubtful(let reason):
                    waiting = [ConfigurationUpdate(.doubtful(reason: reason))]
                case .assured: waiting = [ConfigurationUpdate(.assured)]
                default: continue
                }
            }
            return waiting.popLast()
        }

        /// In the middle of a version it is the one before.
        private static func resumable(
            after index: Int, of changes: [KeyChange], upTo: Version
        ) -> Version {
            guard index + 1 < changes.count else { return upTo }
            let version = changes[index].version
            return changes[index + 1].version > version ? version : Version(version.number - 1)
        }

        private static func updates(_ update: ClientCore.KeyUpdate) -> [ConfigurationUpdate] {
            switch update {
            case .state(let entries, let version, let isResync):
                [
                    ConfigurationUpdate(
                        .state(isResync: isResync), entries: entries.map(ConfigurationEntry.init),
                        version: version)
                ]
            case .changes(let changes, let upTo):
                changes.indices.map { index in
                    ConfigurationUpdate(
                        .change, change: ConfigurationChange(changes[index]),
                        version: resumable(after: index, of: changes, upTo: upTo))
                }
            }
        }
    }
}
