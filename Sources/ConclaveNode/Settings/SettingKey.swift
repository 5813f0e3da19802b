import ConclaveBase
import ConclaveReplication
import Logging

/// The keys of the configuration file, as paths.
package enum SettingKey: String, CaseIterable, Sendable {
    case node, data, socket, durability, members, minimumMembers, maxSessionTtl, logLevel, chaos
    case heartbeat = "timing.heartbeat"
    case suspicion = "timing.suspicion"
    case stall = "timing.stall"
    case slotsPerSender = "slots.perSender"
    case slotSize = "slots.size"
    case segment = "journal.segment"
    case snapshotEvery = "journal.snapshotEvery"
    case keptForJoiners = "journal.keptForJoiners"
    case connectionsPerUID = "clients.connectionsPerUid"
    case connections = "clients.connections"

    /// How a value is written, where it is kept, and what it may be.
    enum Form {
        case text(WritableKeyPath<Settings, String>)
        case count(WritableKeyPath<Settings, Int>, ClosedRange<Int>)
        case size(WritableKeyPath<Settings, Int>, ClosedRange<Int>)
        case interval(WritableKeyPath<Settings, Interval>, ClosedRange<Interval>)
        case flag(WritableKeyPath<Settings, Bool>)
        case node, members, durability, logLevel
    }

    static let maximumMembers = 16
    static let maximumConnections = 100_000

    var form: Form {
        switch self {
        case .node: .node
        case .data: .text(\.data)
        case .socket: .text(\.socket)
        case .durability: .durability
        case .members: .members
        case .minimumMembers: .count(\.minimumMembers, 1...Self.maximumMembers)
        case .maxSessionTtl: .interval(\.maximumSessionTTL, .milliseconds(150)...(.seconds(3_600)))
        case .logLevel: .logLevel
        case .chaos: .flag(\.allowsChaos)
        case .heartbeat: .interval(\.heartbeat, .milliseconds(5)...(.seconds(10)))
        case .suspicion: .interval(\.suspicion, .milliseconds(50)...(.seconds(60)))
        case .stall: .interval(\.stall, .milliseconds(100)...(.seconds(600)))
        case .slotsPerSender: .count(\.slotCount, 16...1_024)
        case .slotSize: .size(\.slotByteCount, (1 << 10)...(64 << 10))
        case .segment: .size(\.segmentByteCount, (1 << 20)...(1 << 30))
        case .snapshotEvery: .size(\.snapshotEveryByteCount, (1 << 20)...(16 << 30))
        case .keptForJoiners: .size(\.keptForJoinersByteCount, (1 << 20)...(1 << 30))
        case .connectionsPerUID: .count(\.connectionsPerUID, 1...Self.maximumConnections)
        case .connections: .count(\.connections, 1...Self.maximumConnections)
        }
    }

    /// Whether SIGHUP takes a new value over; the others need a restart.
    package var mayChangeAtRunTime: Bool {
        self == .logLevel || self == .connections
    }

    /// After the first view the group has it, and no file changes it.
    package var isOfFounding: Bool {
        self == .minimumMembers || self == .maxSessionTtl
    }
}

extension Settings {
    /// The value of `key` as the file would write it.
    package func text(of key: SettingKey) -> String {
        switch key.form {
        case .text(let path): self[keyPath: path]
        case .count(let path, _): "\(self[keyPath: path])"
        case .size(let path, _): Quantity.text(byteCount: self[keyPath: path])
        case .interval(let path, _): Quantity.text(self[keyPath: path])
        case .flag(let path): "\(self[keyPath: path])"
        case .node: "\(node)"
        case .members: members.map { "\($0.node)=\($0.address)" }.joined(separator: ", ")
        case .durability: durability == .disk ? "disk" : "memory"
        case .logLevel: logLevel.rawValue
        }
    }

    /// The keys whose values differ.
    package func differences(from other: Settings) -> [SettingKey] {
        SettingKey.allCases.filter { text(of: $0) != other.text(of: $0) }
    }
}
