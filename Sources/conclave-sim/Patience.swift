import Glibc

/// Ends the program when a run goes on for too long: a run that does not end cannot be stopped, and
/// is a find.
struct Patience: Sendable {
    let limit: Duration
    /// What a replay needs besides the seed.
    let options: String

    init(_ limit: Duration, options: String) {
        self.limit = limit
        self.options = options
    }

    /// Looks from time to time; does not return.
    func watch() {
        while true {
            sleep(1)
            guard let seed = SeedsInProgress.overdue(after: limit) else { continue }
            print("C8 broken with seed \(seed): the run has not ended after \(limit)")
            print("  conclave-sim --seed \(seed)\(options)")
            fflush(nil)
            _exit(1)
        }
    }
}
