import ConclaveBase
import ConclaveGroup

/// Why a member takes no requests. The facts are compared in every turn, and made into a sentence
/// only when they have changed: two that differ have different sentences.
enum NotServing: Equatable {
    /// What keeps a member that knows a view outside of it.
    enum Outside: Equatable {
        case removedUntold(to: [NodeID])
        case removed
        case pausing(leftOutCount: Int, milliseconds: Int64)
        case doesNotHear([NodeID])
        case waiting
    }

    case divided
    case diskFull(file: String)
    case goesOnAlone
    /// The journal was set aside; `unconnected`: machines of the list without a path.
    case lost(unconnected: [NodeID])
    /// As before, and no view could be read from it.
    case lostBeforeAnyView(unconnected: [NodeID])
    /// As before, and a state was learned since.
    case learnedAfterLoss(Epoch, Outside, unconnected: [NodeID])
    case historyGivenUp(successor: NodeID)
    case waits([NodeID], WaitPurpose)
    case blank(unconnected: [NodeID])
    case outside(Epoch, Outside)
    case restarted(Epoch)
    case leftOut(Outside)
    case ending(Epoch)
    case tooFew(Epoch, count: Int, minimum: Int)
    case begins(Epoch)

    /// For an operator.
    var sentence: String {
        switch self {
        case .divided:
            "the members' states differ, and none has a majority: nothing is granted until "
                + "an operator says which one is right"
        case .diskFull(let file):
            "the disk is full: there is no room for \(file); goes on by itself when there is"
        case .goesOnAlone: "goes on without the others, as it was told: writes down what is left"
        case .lost(let unconnected):
            "its journal was damaged and is set aside: waits to learn the state from a member "
                + "that has it\(Self.words(unconnected)); if no member has it any more, nothing is "
                + "served until an operator puts a data directory back that has it, or runs "
                + "'conclave recover' on a member that has an older one"
        case .lostBeforeAnyView(let unconnected):
            "its journal was damaged and is set aside, and no view could be read from it: waits to "
                + "learn the state from a member that has it\(Self.words(unconnected)), and takes no "
                + "part in founding a group; if no member has a state, and the group has never "
                + "served, stop this daemon, move its data directory away, and start it with an "
                + "empty one"
        case .learnedAfterLoss(let epoch, let outside, let unconnected):
            "lost its journal and has learned the state of view \(epoch): "
                + outside.sentence + Self.words(unconnected)
        case .historyGivenUp(let successor):
            "its history was given up, and member \(successor) goes on in another one: joins "
                + "that when its data directory is moved away"
        case .waits(let nodes, let purpose): Self.sentence(nodes, purpose)
        case .blank(let unconnected):
            "waits for the first view, or to be let into one" + Self.words(unconnected)
        case .outside(let epoch, let outside): "is not in view \(epoch): \(outside.sentence)"
        case .restarted(let epoch):
            "restarted in view \(epoch): waits for the next view; if too many of the others have "
                + "lost their disks, 'conclave recover' goes on without them"
        case .leftOut(let outside): "was left out: \(outside.sentence)"
        case .ending(let epoch): "view \(epoch) is ending: waits for the next"
        case .tooFew(let epoch, let count, let minimum):
            "view \(epoch) has \(count) members of the \(minimum) that it needs"
        case .begins(let epoch): "view \(epoch) begins"
        }
    }

    /// Whose absence a blank member can name before anybody has told it whom the group waits for.
    private static func words(_ unconnected: [NodeID]) -> String {
        unconnected.isEmpty ? "" : "; not connected: \(list(unconnected))"
    }

    private static func list(_ nodes: [NodeID]) -> String {
        nodes.map(\.description).joined(separator: ", ")
    }

    private static func sentence(_ nodes: [NodeID], _ purpose: WaitPurpose) -> String {
        let list = list(nodes)
        return switch purpose {
        case .founding:
            "the first view needs all configured members: waits for \(list); one that is connected "
                + "says in its own status what keeps it"
        case .quorum:
            "hears no majority of the newest view: waits for \(list); if too many are lost for "
                + "good, 'conclave recover' goes on without them"
        case .state:
            "the last view's state may be in the memory of members that are absent: waits for "
                + "\(list); if they are lost for good, 'conclave recover' begins without any state"
        case .joining: "waits to be let in by \(list)"
        case .members: "too few members hear each other: waits for more of \(list)"
        }
    }
}

extension NotServing.Outside {
    fileprivate var sentence: String {
        switch self {
        case .removedUntold(let nodes):
            "was removed from the group, and waits to be added again; goes on telling "
                + nodes.map(\.description).joined(separator: ", ")
                + ", who have not said yet that they know"
        case .removed: "was removed from the group, and waits to be added again"
        case .pausing(let leftOutCount, let milliseconds):
            "was left out \(leftOutCount) times soon after it had joined, and pauses for "
                + "\(milliseconds) ms"
        case .doesNotHear(let nodes):
            "has caught up, but does not hear "
                + nodes.map(\.description).joined(separator: ", ") + " both ways"
        case .waiting: "waits to be let in"
        }
    }
}
