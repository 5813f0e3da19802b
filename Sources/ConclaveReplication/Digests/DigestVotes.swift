import ConclaveBase

/// What the members of one epoch say of their states at versions of it, in the order in which all
/// are told: so all come to the same verdict at the same point of the order.
struct DigestVotes {
    enum Verdict: Equatable {
        /// That rank's state is not the one that a majority of the view has.
        case differs(rank: Int, Version)
        /// All have spoken, and no state has a majority.
        case divided(Version)
    }

    private struct Poll {
        let version: Version
        var digests: [UInt64?]
        var isToldDiffering: [Bool]
    }

    /// Polls that are kept: a member that is slower than that is not waited for.
    private static let limit = 4

    private let memberCount: Int
    private var polls: [Poll] = []

    init(memberCount: Int) {
        self.memberCount = memberCount
    }

    /// Notes one member's digest, and says what follows from it, once.
    mutating func note(_ digest: UInt64, at version: Version, from rank: Int) -> [Verdict] {
        guard rank < memberCount else { return [] }
        let place: Int
        if let known = polls.firstIndex(where: { $0.version == version }) {
            place = known
        } else {
            if polls.count == Self.limit { polls.removeFirst() }
            polls.append(
                Poll(
                    version: version, digests: Array(repeating: nil, count: memberCount),
                    isToldDiffering: Array(repeating: false, count: memberCount)))
            place = polls.count - 1
        }
        guard polls[place].digests[rank] == nil else { return [] }
        polls[place].digests[rank] = digest
        return judge(place)
    }

    private mutating func judge(_ place: Int) -> [Verdict] {
        let digests = polls[place].digests
        let majority = digests.first { candidate in
            candidate != nil && digests.count { $0 == candidate } > memberCount / 2
        }
        guard let majority else {
            let haveAllSpoken = !digests.contains(nil)
            return haveAllSpoken ? [.divided(polls[place].version)] : []
        }
        var verdicts: [Verdict] = []
        for (rank, digest) in digests.enumerated() where digest != nil && digest != majority {
            guard !polls[place].isToldDiffering[rank] else { continue }
            polls[place].isToldDiffering[rank] = true
            verdicts.append(.differs(rank: rank, polls[place].version))
        }
        return verdicts
    }
}
