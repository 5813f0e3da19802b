package import ConclaveBase
package import ConclaveReplication
package import Logging

/// Everything that can be set about one daemon, with the defaults. Bounds are in `SettingKey`.
package struct Settings: Equatable, Sendable {
    package struct Peer: Equatable, Sendable {
        package var node: NodeID
        package var address: PeerAddress

        package init(node: NodeID, address: PeerAddress) {
            self.node = node
            self.address = address
        }
    }

    /// Zero: not given.
    package var node = NodeID(0)
    package var data = "/var/lib/conclave"
    package var socket = "/run/conclave/conclave.sock"
    package var durability = Durability.disk
    /// All members of the group, this one included. None: a group of one that listens to nobody.
    package var members: [Peer] = []
    /// Zero: the majority of the members.
    package var minimumMembers = 0
    /// `minimumMembers` was not given: it goes on to be the majority when the members change.
    package var followsMajority = false
    package var maximumSessionTTL = Interval.seconds(60)
    package var logLevel = Logger.Level.info

    package var heartbeat = Interval.milliseconds(100)
    package var suspicion = Interval.seconds(1)
    package var stall = Interval.seconds(5)

    package var slotCount = 128
    package var slotByteCount = 8 << 10

    package var segmentByteCount = 64 << 20
    package var snapshotEveryByteCount = 64 << 20
    package var keptForJoinersByteCount = 8 << 20

    /// Administrators may have things go wrong here: for machines on which nothing is at stake.
    package var allowsChaos = false

    package var connectionsPerUID = 1_000
    package var connections = 10_000

    package init() {}

    /// A group of one on this machine, for `conclaved --single`.
    package static func single(data: String, socket: String) -> Settings {
        var settings = Settings()
        settings.node = NodeID(1)
        settings.data = data
        settings.socket = socket
        settings.minimumMembers = 1
        return settings
    }

    /// The ids of the group, this one included, in ascending order.
    package var configuredNodes: [NodeID] {
        members.isEmpty ? [node] : members.map(\.node).sorted()
    }

    package func address(of node: NodeID) -> PeerAddress? {
        members.first { $0.node == node }?.address
    }
}
