/// Who waits for an object, in the order of their turns: the highest priority first, and within one
/// priority whoever came first.
///
/// Each priority that somebody waits with has a list of its own, so that nobody is searched for
/// among those of his priority.
struct ClaimQueue: Sendable {
    private struct Level: Sendable {
        var priority: Int32
        /// Never empty.
        var claims = ClaimList()
    }

    /// The highest priority first.
    private var levels: [Level] = []
    private(set) var count = 0

    var isEmpty: Bool { count == 0 }
    var first: Int? { levels.first?.claims.first }
    var last: Int? { levels.last?.claims.last }

    mutating func append(_ claim: Int, in claims: inout Arena<Claim>) {
        levels[makeLevel(of: claims[claim].priority)].claims.append(claim, in: &claims)
        count += 1
    }

    /// Before all of its priority that have drawn a ticket after it.
    mutating func insert(_ claim: Int, in claims: inout Arena<Claim>) {
        let ticket = claims[claim].ticket
        levels[makeLevel(of: claims[claim].priority)].claims.insert(claim, in: &claims) {
            $0.ticket > ticket
        }
        count += 1
    }

    private mutating func makeLevel(of priority: Int32) -> Int {
        let place = place(of: priority)
        if place == levels.count || levels[place].priority != priority {
            levels.insert(Level(priority: priority), at: place)
        }
        return place
    }

    mutating func remove(_ claim: Int, in claims: inout Arena<Claim>) {
        let place = place(of: claims[claim].priority)
        levels[place].claims.remove(claim, in: &claims)
        if levels[place].claims.isEmpty { levels.remove(at: place) }
        count -= 1
    }

    func claim(after claim: Int, in claims: Arena<Claim>) -> Int? {
        let place = place(of: claims[claim].priority)
        if let next = levels[place].claims.claim(after: claim, in: claims) { return next }
        return place + 1 < levels.count ? levels[place + 1].claims.first : nil
    }

    func all(in claims: Arena<Claim>) -> [Int] {
        levels.flatMap { $0.claims.all(in: claims) }
    }

    /// How many are ahead of a waiter, at most: some of its priority may have left since.
    func position(of claim: Int, in claims: Arena<Claim>) -> Int {
        let place = place(of: claims[claim].priority)
        let level = levels[place].claims
        let ahead = levels[..<place].reduce(0) { $0 + $1.claims.count }
        guard let first = level.first else { return ahead }
        let distance = claims[claim].ticket - claims[first].ticket
        return ahead + Int(min(distance, UInt64(level.count - 1)))
    }

    /// Where the level of a priority is or would be.
    private func place(of priority: Int32) -> Int {
        var (low, high) = (0, levels.count)
        while low < high {
            let middle = (low + high) / 2
            if levels[middle].priority > priority { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
