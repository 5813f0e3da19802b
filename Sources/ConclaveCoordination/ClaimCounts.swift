/// How many claims the sessions of each user have together.
struct ClaimCounts: Sendable {
    /// By session index: which of `counts` is its user's.
    private var users: [Int] = []
    private var counts: [Int] = []
    private var usersByUID: [UInt32: Int] = [:]

    func count(ofUID uid: UInt32) -> Int { usersByUID[uid].map { counts[$0] } ?? 0 }

    /// A session of `uid`, which has that many claims already, is that user's from now on.
    mutating func own(_ session: Int, by uid: UInt32, claimCount: Int) {
        while users.count <= session { users.append(user(0)) }
        counts[users[session]] -= claimCount
        users[session] = user(uid)
        counts[users[session]] += claimCount
    }

    private mutating func user(_ uid: UInt32) -> Int {
        if let known = usersByUID[uid] { return known }
        usersByUID[uid] = counts.count
        counts.append(0)
        return counts.count - 1
    }

    /// - Precondition: it was said whose session it is.
    mutating func add(_ difference: Int, of session: Int) {
        counts[users[session]] += difference
    }
}
