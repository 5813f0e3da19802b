package import ConclaveBase

/// How a run went.
package struct RunReport: Equatable, Sendable {
    package var seed: UInt64
    package var violation: Violation?
    package var stepCount: UInt64 = 0
    package var simulated = Interval.zero
    package var viewCount = 0
    package var crashCount = 0
    package var requestCount = 0
    /// It ended where only an operator could help, so that not all of the healing was looked at.
    package var neededOperator = false
    /// Objects whose history took too much to decide.
    package var undecidedCount = 0
    package var digest: UInt64 = 0
    /// Made only if a trace was asked for.
    package var trace: [String] = []

    package init(seed: UInt64) {
        self.seed = seed
    }
}
