import ConclaveBase

/// The place in the total order at which something is applied.
struct Moment: Equatable, Sendable {
    var version: Version
    var time: Timestamp
}
