import Conclave

/// How many runs there were, under all leaders: a key that each run is claimed by.
struct RunCounter {
    private let configuration: Configuration
    private let key: String
    private var count: UInt64
    /// As the key was seen last.
    private var seen: ConfigurationCompare.Expectation

    init(_ configuration: Configuration, key: String) async throws {
        self.configuration = configuration
        self.key = key
        guard let entry = try await configuration.get(key) else {
            (count, seen) = (0, .absent)
            return
        }
        guard let count = UInt64(entry.text), count < .max else {
            throw ConclaveError(.refused, "key \(key) holds '\(entry.text)', no count of runs")
        }
        (self.count, seen) = (count, .version(entry.version))
    }

    /// - Returns: The number of the run, which nobody else gets; `nil`: somebody else has claimed one
    ///   since this counter was made.
    mutating func claimNext() async throws -> UInt64? {
        do {
            let version = try await configuration.compareAndPut(
                key, "\(count + 1)", expected: seen)
            (count, seen) = (count + 1, .version(version))
            return count
        } catch let error as ConclaveError where error.code == .compareFailed {
            return nil
        }
    }
}
