/// The promises of the contract, by their numbers.
package enum ContractPromise: String, Sendable, CaseIterable {
    case oneChainOfViews = "C1"
    case totalOrder = "C2"
    case nothingLost = "C3"
    case exactlyOnce = "C4"
    case mutualExclusion = "C5"
    case fencing = "C6"
    case barriers = "C7"
    case progress = "C8"
    case badInput = "C9"
}

/// A promise that was broken, and how.
package struct Violation: Error, Equatable, Sendable {
    package var promise: ContractPromise
    package var message: String

    package init(_ promise: ContractPromise, _ message: String) {
        self.promise = promise
        self.message = message
    }
}
