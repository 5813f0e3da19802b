import Conclave

/// What the state of the group says of how it will bear the next failure.
struct GroupExamination {
    private let status: GroupStatus

    init(_ status: GroupStatus) {
        self.status = status
    }

    var findings: [Finding] {
        [serving] + disturbances + missing + [tolerance, durability, takeover].compactMap { $0 }
    }

    private var serving: Finding {
        guard !status.isServing else {
            return Finding(.good, "daemon", "node \(status.node) serves, in view \(status.epoch)")
        }
        return Finding(
            .fault, "daemon", "node \(status.node) does not serve: \(status.reason.shown)",
            advice: "a group serves while a majority of its last view is up and connected: see the "
                + "members below, and 'journalctl -u conclaved' on each")
    }

    private var disturbances: [Finding] {
        status.disturbances.map {
            Finding(
                .warning, "chaos",
                "\($0.disturbance.words), by order, for \($0.remaining.text) more",
                advice: "'conclave chaos end' ends it")
        }
    }

    private var missing: [Finding] {
        status.members.compactMap { member in
            let name = "member \(member.node)"
            switch member.state {
            case .member: return nil
            case .joining:
                return Finding(
                    .note, name, "at \(member.address), is not in the view, and about to be let in",
                    advice: "if that lasts: see the log of its daemon, which may hang")
            case .suspected:
                return Finding(
                    .warning, name, "at \(member.address), is in the view and not heard of",
                    advice:
                        "look whether its host is up, and whether port and path are open both ways")
            default:
                return Finding(
                    .warning, name, "at \(member.address), is in no contact",
                    advice:
                        "start conclaved there; if it is gone for good: 'conclave member remove "
                        + "\(member.node)', then 'member add' its successor")
            }
        }
    }

    /// Of the present view: who is not in it cannot be lost.
    private var tolerance: Finding? {
        let count = status.members.count { [.member, .suspected].contains($0.state) }
        guard status.isServing, count > 0 else { return nil }
        let spare = (count - 1) / 2
        let words = count == 1 ? "1 member" : "\(count) members"
        if status.members.count == 1 {
            return Finding(
                .note, "majority", "a group of one: when this host is down, so is the service",
                advice: "three members survive the loss of one")
        }
        guard spare > 0 else {
            return Finding(
                .warning, "majority", "the view has \(words): no further one may be lost at once",
                advice: status.members.count < 3
                    ? "add a third member: 'conclave member add'"
                    : "bring the missing members back")
        }
        let even = count % 2 == 0 ? ", as of \(count - 1)" : ""
        return Finding(
            .good, "majority", "the view has \(words): \(spare) of them may be lost at once\(even)")
    }

    private var durability: Finding {
        status.isDurable
            ? Finding(
                .good, "durability", "what is acknowledged survives a power loss of all hosts")
            : Finding(
                .note, "durability",
                "in memory: when all members are down at once, everything that is held is lost",
                advice: "'durability: disk' keeps it")
    }

    private var takeover: Finding {
        let timing = status.timing
        let worst = timing.worst(ttl: nil)
        return Finding(
            .good, "takeover",
            "a lost holder is in the way for at most \(worst.exact), see 'conclave timing'")
    }
}
