import ConclaveBase

/// At which versions the members compare their states.
///
/// It depends on nothing but the version and about how large the state is. Where a larger state is
/// compared a smaller one is, too: so members whose states differ in that still meet.
package struct DigestPace: Sendable {
    /// The least distance.
    private let versionCount: UInt64
    /// A row is hashed at most once in so many versions.
    private let versionsPerRow: UInt64

    /// - Precondition: Neither is 0.
    package init(versionCount: UInt64, versionsPerRow: UInt64) {
        precondition(versionCount > 0 && versionsPerRow > 0)
        self.versionCount = versionCount
        self.versionsPerRow = versionsPerRow
    }

    func isDue(at version: Version, rowCount: @autoclosure () -> Int) -> Bool {
        guard version.counter % versionCount == 0 else { return false }
        let wanted = UInt64(rowCount()) * versionsPerRow
        var distance = versionCount
        while distance < wanted { distance *= 2 }
        return version.counter % distance == 0
    }
}
