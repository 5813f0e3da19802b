import ArgumentParser

/// The name of a lock, slot, barrier, latch, key, lease or task group, checked before anybody is asked.
struct NameArgument: ExpressibleByArgument, Equatable {
    static let maximumByteCount = 255

    var text: String

    init?(argument: String) {
        guard (1...Self.maximumByteCount).contains(argument.utf8.count),
            !argument.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F })
        else { return nil }
        text = argument
    }
}
