package import ConclaveBase

/// Something of one connection that waits in a process's inbox.
package struct FabricDelivery {
    package enum Content {
        case opened(Member)
        case closed(byPeer: Bool)
        /// No connection was made, since the own history was given up for the peer's.
        case givenUp
        case frame(FabricFrame)
    }

    package var peer: Int
    package var connection: UInt32
    package var content: Content

    package init(peer: Int, connection: UInt32, content: Content) {
        self.peer = peer
        self.connection = connection
        self.content = content
    }
}

/// What one call of `Fabric` sends.
package enum FabricFrame {
    case control([UInt8])
    case row(Epoch, offset: Int, [UInt8])

    package var byteCount: Int {
        switch self {
        case .control(let bytes), .row(_, _, let bytes): bytes.count
        }
    }
}
