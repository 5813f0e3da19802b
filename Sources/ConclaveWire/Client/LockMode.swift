package enum LockMode: UInt8, Sendable, CaseIterable {
    case exclusive = 1
    case shared = 2
}
