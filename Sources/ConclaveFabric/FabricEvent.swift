package import ConclaveBase
package import ConclaveReactor
package import ConclaveWire

/// Told by a fabric, on the reactor's thread, of what comes in and of what there is to know.
///
/// It is never called from within a call of the `Fabric` protocol: what such a call breaks is told
/// in the next turn.
package protocol FabricSink: AnyObject {
    func receive(_ input: FabricInput)
    func report(_ event: FabricEvent)
}

/// What there is to know about one connection. The same thing about the same peer is told at most
/// once in a while.
package struct FabricEvent: Equatable, Sendable {
    package enum What: Equatable, Sendable {
        /// This end turned the other away; it was told why.
        case refused(FabricRefusal)
        /// The other end turned this one away, or gave the path up, in these words.
        case refusedByPeer(String)
        /// The other end says that another process runs under the number of this node.
        case numberTaken(String)
        /// This end gave up a path that was open.
        case broken(FabricFault)
        /// The other end closed or reset a path that was open, or it failed underneath.
        case lost(SystemError?)
        /// A connection ended before it was known whose it was.
        case strangerDropped(FabricFault)
        /// Nobody could be reached there.
        case dialFailed(SystemError)
        /// A path took the place of one that was still open.
        case replaced
        /// No connections are taken for a while.
        case acceptFailed(SystemError)
        /// A control frame of this end was too long, and dropped.
        case controlTooLong(byteCount: Int)
        /// A member's address is not numeric, and not configured here: it has to dial.
        case addressUnknown
    }

    package var node: NodeID?
    package var address: SocketAddress
    package var what: What
    /// How many alike were not told since the one before.
    package var suppressedCount = 0
}

/// Why this end gave a connection up.
package enum FabricFault: Error, Equatable, Sendable, CustomStringConvertible {
    case frame(WireError)
    case unknownFrame(type: UInt16)
    /// A frame that has no place before, or after, the hello.
    case unexpectedFrame(type: UInt16)
    /// The parts of one row write do not follow each other.
    case rowOutOfOrder(offset: Int)
    case rowTooLong(byteCount: Int)
    /// The peer does not read, and this many bytes wait for it.
    case outputFull(byteCount: Int)
    /// It connected, and said no hello in time.
    case silent(Interval)
    /// Too many strangers at once: the oldest goes.
    case crowdedOut
    case socket(SystemError)
    /// It closed the connection before it had said who it is.
    case ended

    package var description: String {
        switch self {
        case .frame(let error): "a frame is malformed: \(error)"
        case .unknownFrame(let type): "frames of type \(type) are not known"
        case .unexpectedFrame(let type): "a frame of type \(type) has no place here"
        case .rowOutOfOrder(let offset): "a part of a row write is missing before \(offset)"
        case .rowTooLong(let byteCount): "a row write of \(byteCount) bytes is too long"
        case .outputFull(let byteCount): "\(byteCount) bytes wait and are not read"
        case .silent(let interval): "no hello within \(interval)"
        case .crowdedOut: "too many connections without a hello"
        case .socket(let error): "\(error)"
        case .ended: "closed before the hello"
        }
    }
}

/// Why a hello was not accepted. The words are for the other end.
package enum FabricRefusal: Error, Equatable, Sendable, CustomStringConvertible {
    case version(theirs: ClosedRange<UInt16>, own: ClosedRange<UInt16>)
    case unknownNode(NodeID)
    /// Somebody else than the one who was meant is at this address.
    case wrongNode(meant: NodeID, found: NodeID)
    /// The higher number dials the lower.
    case wrongDirection(from: NodeID, to: NodeID)
    case lineage(theirs: Lineage, own: Lineage)
    case configuration
    /// A path does not change its end.
    case changedMember(NodeID)
    /// Two processes run as that node, and the one at `kept` has the path.
    case numberTaken(NodeID, kept: SocketAddress, other: SocketAddress)

    /// For the other end, which acts on some of the reasons.
    var number: UInt64 {
        if case .numberTaken = self { MemberFrame.numberTaken } else { 0 }
    }

    package var description: String {
        switch self {
        case .version(let theirs, let own):
            "protocol versions \(theirs.lowerBound) to \(theirs.upperBound) are not spoken here, "
                + "but \(own.lowerBound) to \(own.upperBound)"
        case .unknownNode(let node): "node \(node) is no member of this group"
        case .wrongNode(let meant, let found):
            "node \(meant) was meant, but here is node \(found): an address is wrong"
        case .wrongDirection(let from, let to):
            "node \(from) does not dial node \(to): the higher number dials the lower"
        case .lineage(let theirs, let own):
            "lineage \(theirs) is another group's, or another history: here is \(own)"
        case .configuration:
            // A stranger is not told what would be right.
            "durability or slots are configured otherwise here, or, before the first view, members"
        case .numberTaken(let node, let kept, let other):
            "two processes run as node \(node), at \(kept) and at \(other), and one of them is shut "
                + "out: stop one, or give its machine a number of its own"
        case .changedMember(let node): "node \(node) changed in the middle of a connection"
        }
    }
}
