/// What who follows something was told of whether changes may be missing.
struct FollowersDoubt {
    private(set) var isDoubtful = false

    mutating func begins(of subject: Any) throws(Violation) {
        guard !isDoubtful else {
            throw Violation(.exactlyOnce, "\(subject) is twice in doubt")
        }
        isDoubtful = true
    }

    mutating func ends(of subject: Any) throws(Violation) {
        guard isDoubtful else {
            throw Violation(.exactlyOnce, "\(subject) is assured, but was not in doubt")
        }
        isDoubtful = false
    }
}
