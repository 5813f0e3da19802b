public import ConclaveBase
import ConclaveClientCore
import ConclaveWire

extension Conclave {
    /// Small values under names, the same for every host: see `Configuration`.
    public var configuration: Configuration { Configuration(conclave: self) }
}

/// Small values under names, the same for every host. Each key has the version at which it was put
/// last; a change can be made to depend on it, and everything after a version can be watched.
///
///     let configuration = conclave.configuration
///     try await configuration.put("db/primary", "10.0.0.4")
///     for try await update in configuration.watch(prefix: "db/") { … }
///
/// A key is UTF-8, 1 to 255 bytes without control characters; `/` separates levels. A value has at
/// most 64 KiB, and with its request must fit a slot of the group (8 KiB unless the daemons are set
/// otherwise): what does not is refused as `invalid`, and the message names the limit.
public struct Configuration: Sendable {
    let conclave: Conclave

    // MARK: - Changing

    /// Sets `key` to `value`.
    ///
    /// - Parameters:
    ///   - ephemeral: The key goes with this session: when it is closed, its process dies or its
    ///     host is lost. Else the key stays until it is deleted, also if it was ephemeral before.
    ///   - wait: How long to wait at most; `nil`: for ever.
    /// - Returns: The version of the change, for `compareAndPut`.
    /// - Throws: `quotaExceeded`, `invalid`, `timedOut` and so on.
    @discardableResult
    public func put(
        _ key: String, _ value: [UInt8], ephemeral: Bool = false, wait: Duration? = nil
    ) async throws -> Version {
        try await transaction([.put(key, value, ephemeral: ephemeral)], wait: wait).version
    }

    @discardableResult
    public func put(
        _ key: String, _ value: String, ephemeral: Bool = false, wait: Duration? = nil
    ) async throws -> Version {
        try await put(key, Array(value.utf8), ephemeral: ephemeral, wait: wait)
    }

    /// Sets `key` to `value` if it is as `expected`: absent, or last put at a version.
    ///
    /// - Throws: `compareFailed`, and nothing was changed; `ConclaveError.conflict` says what was
    ///   there.
    @discardableResult
    public func compareAndPut(
        _ key: String, _ value: [UInt8], expected: ConfigurationCompare.Expectation,
        ephemeral: Bool = false, wait: Duration? = nil
    ) async throws -> Version {
        try await transaction(
            [.put(key, value, ephemeral: ephemeral)],
            if: [ConfigurationCompare(key, is: expected)], wait: wait
        ).version
    }

    @discardableResult
    public func compareAndPut(
        _ key: String, _ value: String, expected: ConfigurationCompare.Expectation,
        ephemeral: Bool = false, wait: Duration? = nil
    ) async throws -> Version {
        try await compareAndPut(
            key, Array(value.utf8), expected: expected, ephemeral: ephemeral, wait: wait)
    }

    /// Deletes `key`, if it is there.
    ///
    /// - Returns: Whether it was.
    @discardableResult
    public func delete(_ key: String, wait: Duration? = nil) async throws -> Bool {
        try await transaction([.delete(key)], wait: wait).changedCount > 0
    }

    /// Makes all changes at one version, if everything is as `compares` say; else none.
    ///
    /// - Parameters:
    ///   - changes: At most 128, each of another key.
    ///   - compares: At most 128.
    /// - Throws: `compareFailed` and so on. With `outcomeUnknown` nobody can tell whether it
    ///   happened.
    @discardableResult
    public func transaction(
        _ changes: [ConfigurationOperation], if compares: [ConfigurationCompare] = [],
        wait: Duration? = nil
    ) async throws -> ConfigurationResult {
        let transaction = try Self.transaction(changes, if: compares)
        let answer = await conclave.session.answer(
            to: .transact(transaction), deadline: Conclave.deadline(after: wait))
        if case .reply(.mismatched(let mismatch)) = answer {
            let index = Int(mismatch.index)
            throw ConclaveError(
                ConfigurationConflict(mismatch),
                demanded: compares.indices.contains(index) ? compares[index].expectation : nil)
        }
        guard case .reply(.written(let written)) = answer else {
            throw ConclaveError.unexpected(answer)
        }
        return ConfigurationResult(
            version: written.version, changedCount: Int(written.changedCount))
    }

    private static func transaction(
        _ changes: [ConfigurationOperation], if compares: [ConfigurationCompare]
    ) throws -> KeyTransaction {
        guard changes.count <= ClientLimits.transactionOperations,
            compares.count <= ClientLimits.transactionCompares
        else {
            throw ConclaveError(
                .invalid,
                "a transaction has at most \(ClientLimits.transactionCompares) compares and "
                    + "\(ClientLimits.transactionOperations) changes")
        }
        return KeyTransaction(
            compares: try compares.map { try $0.wire() },
            operations: try changes.map { try $0.wire() })
    }

    // MARK: - Reading

    /// The entry of `key`; `nil`: it is not there. Not older than anything that was acknowledged
    /// before the call.
    ///
    /// - Parameter moment: Of which it is: by default of now.
    /// - Throws: `historyGone` if the moment lies before the history that is kept, `invalid` if it
    ///   is still to come, `unavailable` if the daemon is outside the majority all the time.
    public func get(
        _ key: String, at moment: ConfigurationMoment = .now, wait: Duration? = .seconds(10)
    ) async throws -> ConfigurationEntry? {
        try await read(key, at: moment, wait: wait).entry
    }

    /// As `get`, with the version that the answer is of.
    ///
    /// - Parameter local: From the daemon's own copy at once, also outside the majority: it may be
    ///   behind, and `ConfigurationReading.age` says by how much at most.
    public func read(
        _ key: String, at moment: ConfigurationMoment = .now, local: Bool = false,
        wait: Duration? = .seconds(10)
    ) async throws -> ConfigurationReading {
        let query = KeyQuery(.key(try Conclave.name(key)), at: moment.wire, isLocal: local)
        return ConfigurationReading(try await ask(query, wait))
    }

    /// The keys that begin with `prefix`, by name, all as they were at one version.
    ///
    /// - Parameters:
    ///   - local: From the daemon's own copy at once.
    ///   - namesOnly: The entries come without values.
    ///   - wait: How long to wait for each page at most.
    public func list(
        prefix: String = "", at moment: ConfigurationMoment = .now, local: Bool = false,
        namesOnly: Bool = false, wait: Duration? = .seconds(10)
    ) async throws -> ConfigurationListing {
        try Self.check(prefix: prefix)
        var attempts = 3
        while true {
            attempts -= 1
            do {
                return try await pages(prefix, moment, local, namesOnly, wait)
            } catch let error as ConclaveError
                where error.code == .historyGone && moment == .now && attempts > 0
            {
                // Between two pages the history went past the first one's version.
                continue
            }
        }
    }

    private func pages(
        _ prefix: String, _ moment: ConfigurationMoment, _ local: Bool, _ namesOnly: Bool,
        _ wait: Duration?
    ) async throws -> ConfigurationListing {
        let limit = UInt32(ClientLimits.listedKeys)
        var query = KeyQuery(
            .prefix(prefix, after: nil, limit: limit), at: moment.wire, isLocal: local,
            namesOnly: namesOnly)
        var report = try await ask(query, wait)
        var listing = ConfigurationListing(report)
        while let next = report.next {
            query.selection = .prefix(prefix, after: next, limit: limit)
            query.moment = .version(listing.version)
            report = try await ask(query, wait)
            listing.entries += report.entries.map(ConfigurationEntry.init)
        }
        return listing
    }

    private func ask(_ query: KeyQuery, _ wait: Duration?) async throws -> KeyReport {
        let answer = await conclave.session.answer(
            to: .readKeys(query), deadline: Conclave.deadline(after: wait))
        guard case .report(.keys(let report)) = answer else {
            throw ConclaveError.unexpected(answer)
        }
        return report
    }

    static func check(prefix: String) throws(ConclaveError) {
        guard prefix.utf8.count <= ObjectName.maximumByteCount else {
            throw ConclaveError(
                .invalid,
                "the prefix has more than the \(ObjectName.maximumByteCount) bytes of a name")
        }
    }

    // MARK: - Watching

    /// What `key` is now, then every change of it.
    ///
    /// - Parameter version: Begins with what changed after this version, without the state.
    public func watch(_ key: String, from version: Version? = nil) -> ConfigurationUpdates {
        ConfigurationUpdates(conclave: conclave, subject: .key(key), from: version)
    }

    /// The keys that begin with `prefix` as they are now, then every change of any of them.
    public func watch(prefix: String, from version: Version? = nil) -> ConfigurationUpdates {
        ConfigurationUpdates(conclave: conclave, subject: .prefix(prefix), from: version)
    }
}
