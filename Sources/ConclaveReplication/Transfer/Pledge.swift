package import ConclaveBase
package import ConclaveGroup
import ConclaveWire

/// What a frame to another member says of its sender's own disk.
///
/// For the simulator, which holds it against what is there.
package enum Pledge: Equatable, Sendable {
    /// No lower ballot is taken any more; what is held of the epoch, if there is a state. That a value
    /// was accepted is no pledge here: nothing is lost by telling of one that was only proposed.
    case promised(Epoch, Ballot, held: [UInt64]?)
    /// The same of a coordinator, before it asks others (V14).
    case prepared(Epoch, Ballot)
    case accepted(Epoch, Ballot)
    /// Everything below the trim is held.
    case level(Epoch, Ballot)
    case joinerLevel(Epoch, trim: [UInt64])
    case founded(Lineage)

    /// Nil: the frame says nothing of the kind, or does not decode.
    package init?(in frame: [UInt8]) {
        var reader = ByteReader(frame)
        guard (try? reader.lineage("lineage")) != nil,
            let kind = try? reader.byte("control frame")
        else { return nil }
        switch kind {
        case ControlFrame.membershipKind:
            guard MembershipFrame.pledges(reader), let frame = try? MembershipFrame(from: &reader)
            else { return nil }
            self.init(frame)
        case ControlFrame.transferKind:
            self.init(transfer: reader)
        default: return nil
        }
    }

    private init?(_ frame: MembershipFrame) {
        switch frame {
        case .promise(let promise):
            self = .promised(promise.epoch, promise.ballot, held: promise.vector)
        case .prepare(let ballot, let decided): self = .prepared(decided.epoch, ballot)
        case .accepted(let epoch, let ballot): self = .accepted(epoch, ballot)
        case .level(let epoch, let ballot): self = .level(epoch, ballot)
        case .founded(let lineage, _, _), .found(let lineage, _, _): self = .founded(lineage)
        case .ping, .pong, .accuse, .overtaken, .raise, .fill, .accept, .install, .leave, .change:
            return nil
        }
    }

    /// Parts of a snapshot and messages are not worth decoding for this.
    private init?(transfer reader: ByteReader) {
        var kind = reader
        guard (try? kind.byte("transfer frame")) == TransferFrame.isLevelKind else { return nil }
        var reader = reader
        guard case .isLevel(_, let epoch, let trim)? = try? TransferFrame(from: &reader) else {
            return nil
        }
        self = .joinerLevel(epoch, trim: trim)
    }
}
