import ConclaveBase
import ConclaveGroup

/// Which members died again soon after they had been let in, as this member has seen it.
struct MemberStays {
    private struct Stay {
        var began: Instant
        var ended: Instant?
        /// In a row.
        var briefCount = 0
    }

    /// A stay that ends sooner is a brief one, and counts for as long.
    private static let brief = Interval.seconds(60)

    private var stays: [NodeID: Stay] = [:]

    /// This member is in a view. Who leaves in good order says nothing of itself.
    mutating func entered(_ view: InstalledView, now: Instant) {
        for departed in view.departed where departed.reason != .left {
            guard var stay = stays[departed.member.node], stay.ended == nil else { continue }
            stay.briefCount = now.since(stay.began) < Self.brief ? stay.briefCount + 1 : 0
            stay.ended = now
            stays[departed.member.node] = stay
        }
        for node in view.joined {
            stays[node] = Stay(began: now, briefCount: briefCount(of: node, now: now))
        }
        stays = stays.filter { view.view.rank(of: $0.key) != nil || isRecent($0.value, now: now) }
    }

    /// Once may be chance, or an operator.
    func areBrief(of node: NodeID, now: Instant) -> Bool { briefCount(of: node, now: now) > 1 }

    private func briefCount(of node: NodeID, now: Instant) -> Int {
        guard let stay = stays[node], isRecent(stay, now: now) else { return 0 }
        return stay.briefCount
    }

    private func isRecent(_ stay: Stay, now: Instant) -> Bool {
        stay.ended.map { now.since($0) < Self.brief } ?? false
    }
}
