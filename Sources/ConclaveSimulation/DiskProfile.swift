import ConclaveBase

/// How long a host's disk takes for what, while nothing is wrong with it.
package struct DiskProfile: Equatable, Sendable {
    package var write: Delays
    package var sync: Delays
    /// Creating, renaming, removing, and syncing the directory.
    package var directory: Delays

    package init(write: Delays, sync: Delays, directory: Delays) {
        self.write = write
        self.sync = sync
        self.directory = directory
    }

    /// A solid-state disk of a server.
    package static let fast = DiskProfile(
        write: Delays(.microseconds(5) ... .microseconds(40)),
        sync: Delays(
            .microseconds(50) ... .microseconds(300), rarePerMille: 5,
            rare: .milliseconds(1) ... .milliseconds(20)),
        directory: Delays(.microseconds(50) ... .milliseconds(1)))

    /// A disk that turns, or one far away.
    package static let slow = DiskProfile(
        write: Delays(.microseconds(20) ... .microseconds(200)),
        sync: Delays(
            .milliseconds(1) ... .milliseconds(20), rarePerMille: 10,
            rare: .milliseconds(50) ... .milliseconds(400)),
        directory: Delays(.milliseconds(1) ... .milliseconds(20)))
}
