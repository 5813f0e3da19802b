/// Everything that takes bytes from outside, as something that a fuzzer can feed: whatever the
/// bytes are, `run` returns. It traps where the code under it does, or where a promise is broken,
/// such as that what was encoded is decoded to the same.
package enum FuzzTarget: String, CaseIterable, Sendable {
    /// Frames between client and daemon, in both directions.
    case clientFrames = "client-frames"
    /// The client library's core, told of frames that no daemon sends.
    case clientCore = "client-core"
    /// The streams between members: hello, framing, frames about views.
    case memberFrames = "member-frames"
    /// Row writes into a shared state table, and what the multicast makes of them.
    case rowWrites = "row-writes"
    /// A start from files that are not as they were written.
    case recovery
    /// The state machine's snapshot.
    case snapshot
    /// The state machine, told of commands and views.
    case apply
    /// The configuration file.
    case settings
    /// A file with a backup of keys.
    case backup
    /// A whole daemon, told of clients' frames.
    case host
    /// A whole replica, told of frames and row writes of its peers.
    case replica

    package func run(_ bytes: [UInt8]) {
        switch self {
        case .clientFrames: ClientFrames.run(bytes)
        case .clientCore: ClientLibrary.run(bytes)
        case .memberFrames: MemberFrames.run(bytes)
        case .rowWrites: RowWrites.run(bytes)
        case .recovery: DamagedDisk.run(bytes)
        case .snapshot: ForeignSnapshot.run(bytes)
        case .apply: CommandSequence.run(bytes)
        case .settings: ConfigurationFile.run(bytes)
        case .backup: KeyBackup.run(bytes)
        case .host: ClientsOfHost.run(bytes)
        case .replica: PeersOfReplica.run(bytes)
        }
    }
}
