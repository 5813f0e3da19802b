/// Backups: a file is made by `encoded()`, and its keys come back by `compare` and `restore`.
extension Configuration {
    /// The keys that begin with `prefix`, as they were at one version.
    ///
    /// - Throws: As `list`.
    public func backup(
        prefix: String = "", at moment: ConfigurationMoment = .now, wait: Duration? = .seconds(10)
    ) async throws -> ConfigurationBackup {
        let listing = try await list(prefix: prefix, at: moment, wait: wait)
        return ConfigurationBackup(listing, prefix: prefix)
    }

    /// What `restore` would have to do now.
    ///
    /// - Throws: `invalid` if the group is at an earlier version than the backup: versions would repeat
    ///   (C6). A group that is founded begins above all that were founded before it, if the clocks
    ///   of its hosts are right.
    public func compare(
        _ backup: ConfigurationBackup, wait: Duration? = .seconds(10)
    ) async throws -> ConfigurationDifference {
        let listing = try await list(prefix: backup.prefix, wait: wait)
        guard listing.version >= backup.version else {
            throw ConclaveError(
                .invalid,
                "the backup is of version \(backup.version), and the group is at "
                    + "\(listing.version) only: versions and tokens would be given out again. Set the "
                    + "clocks of its hosts right, and found it again on empty data directories")
        }
        return ConfigurationDifference(backup, present: listing)
    }

    /// Puts back the keys that are missing, and more if it is asked for, in transactions of some keys
    /// each. What others change meanwhile is not overwritten.
    ///
    /// Where this ends early the keys that were put stay: to restore again does the rest.
    ///
    /// - Parameters:
    ///   - overwriting: Also keys that are there with another value.
    ///   - deletingOthers: Keys that are not in the backup, and begin with its prefix, are deleted;
    ///     ephemeral ones stay.
    ///   - wait: How long to wait for each transaction at most; `nil`: for ever.
    /// - Returns: How many keys were changed.
    /// - Throws: `compareFailed` if somebody changed a key meanwhile.
    @discardableResult
    public func restore(
        _ difference: ConfigurationDifference, overwriting: Bool = false,
        deletingOthers: Bool = false, wait: Duration? = nil
    ) async throws -> Int {
        var count = 0
        let parts = difference.parts(overwriting: overwriting, deletingOthers: deletingOthers)
        for part in parts {
            count += try await transaction(
                part.map(\.change), if: part.map(\.compare), wait: wait
            ).changedCount
        }
        return count
    }
}
