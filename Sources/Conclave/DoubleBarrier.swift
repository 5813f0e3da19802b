public import ConclaveBase
import ConclaveWire

extension Conclave {
    /// What `parties` programs enter together, do at the same time, and leave together: see
    /// `DoubleBarrier`. Nothing is asked for yet.
    ///
    /// - Parameters:
    ///   - name: UTF-8, 1 to 220 bytes without control characters. It uses the barriers and the task
    ///     group whose names begin with it and `/enter`, `/leave` and `/inside`.
    ///   - parties: 1 to 512. Leaving names them in one request: 8 bytes each, the payload, the names
    ///     and some 100 bytes must fit a slot of the group (`slots.size`, 8 KiB if it is not set).
    public func doubleBarrier(_ name: String, parties: Int) -> DoubleBarrier {
        DoubleBarrier(conclave: self, name: name, parties: parties)
    }
}

/// Entered by so many programs together, and left together by those of them that are still there.
///
///     let inside = try await conclave.doubleBarrier("phase", parties: 3).enter()
///     try await compute(share: inside.generation.rank)
///     try await inside.leave()
///
/// Who dies, or loses its session, while it waits to enter breaks that generation, and all who wait are
/// told by whom; who dies just before it has come there is missing until somebody's time is up. Who dies
/// inside counts as having left: nobody waits for it.
public struct DoubleBarrier: Sendable {
    /// More do not fit the request that names them.
    public static let maximumParties = ClientLimits.barrierMembersNamed
    static let maximumNameByteCount = 220
    private static let tokenByteCount = 8

    let conclave: Conclave
    public let name: String
    public let parties: Int

    /// Waits until all parties have come. A task that is cancelled while it waits, or whose time is up,
    /// breaks the generation for all.
    ///
    /// - Parameters:
    ///   - payload: What the other parties get from this one; at most 4,088 bytes.
    ///   - timeout: How long to wait at most; `nil`: for ever.
    /// - Throws: `alreadyHeld` if this session is inside, or enters, already; `barrierBroken` with a
    ///   report, `timedOut`, `invalid` and so on.
    public func enter(
        payload: [UInt8] = [], timeout: Duration? = nil
    ) async throws -> Inside {
        try check(payload)
        let deadline = timeout.map { ContinuousClock.now.advanced(by: $0) }
        let membership = try await conclave.join("\(name)/inside", wait: timeout)
        let barrier = conclave.barrier(
            "\(name)/enter", parties: parties, payload: Self.bytes(membership.token) + payload,
            timeout: deadline.map { max($0 - ContinuousClock.now, .milliseconds(1)) })
        // If it throws, the membership ends with its last reference.
        let entered = try await barrier.arriveAndWait()
        let tokens = entered.parties.compactMap { Self.token(in: $0.payload) }
        guard tokens.count == parties, Set(tokens).count == parties else {
            throw ConclaveError(
                .refused, "somebody has come to \(name)/enter who enters no double barrier")
        }
        return Inside(
            name: name, membership: membership, tokens: tokens,
            generation: entered.withoutFirstBytes(Self.tokenByteCount))
    }

    private func check(_ payload: [UInt8]) throws(ConclaveError) {
        guard (1...Self.maximumParties).contains(parties) else {
            throw ConclaveError(
                .invalid, "a double barrier has 1 to \(Self.maximumParties) parties, not \(parties)"
            )
        }
        guard name.utf8.count <= Self.maximumNameByteCount else {
            throw ConclaveError(
                .invalid,
                "a double barrier's name has at most \(Self.maximumNameByteCount) bytes, not "
                    + "\(name.utf8.count)")
        }
        let maximum = ClientLimits.barrierPayload - Self.tokenByteCount
        guard payload.count <= maximum else {
            throw ConclaveError(
                .invalid,
                "the payload has \(payload.count) bytes, at most \(maximum) are possible")
        }
    }

    private static func bytes(_ token: FencingToken) -> [UInt8] {
        var writer = ByteWriter()
        writer.integer(token.number)
        return writer.bytes
    }

    private static func token(in payload: [UInt8]) -> FencingToken? {
        var reader = ByteReader(payload)
        return try? reader.token("member")
    }

    /// A place inside. It is left by `leave`, with the session, or when nobody refers to it any more.
    public struct Inside: Sendable {
        let name: String
        let membership: Membership
        let tokens: [FencingToken]
        /// As it was entered: by rank who came, and what they gave.
        public let generation: BarrierGeneration

        /// Whether the session was valid just now, by this host's clock.
        public var validity: Validity { membership.validity }

        /// Who waits for what is done inside.
        public var taskPath: TaskPath { membership.taskPath }

        /// Names this place: larger than that of anybody who was inside before.
        public var token: FencingToken { membership.token }

        /// Waits until all who entered together, and are still there, have come to leave. Afterwards
        /// this party is outside, also where that fails.
        ///
        /// - Parameters:
        ///   - payload: What the others get from this one; at most 4 KiB, and with many parties less: see
        ///     `Conclave.doubleBarrier(_:parties:)`.
        ///   - timeout: How long to wait at most. A party that gives up breaks the leaving for all who
        ///     wait then; who comes later leaves without them.
        /// - Returns: Those who left together.
        /// - Throws: `barrierBroken` with a report, `timedOut`, `notHeld` if it is outside already,
        ///   `invalid` if the request does not fit a slot, and so on.
        @discardableResult
        public func leave(
            payload: [UInt8] = [], timeout: Duration? = nil
        ) async throws -> BarrierGeneration {
            let barrier = membership.conclave.barrier(
                "\(name)/leave/\(generation.number)", group: membership.group,
                member: membership.token, among: tokens, payload: payload, timeout: timeout)
            do {
                let left = try await barrier.arriveAndWait()
                try await membership.leave()
                return left
            } catch {
                try? await membership.leave()
                throw error
            }
        }
    }
}

extension BarrierGeneration {
    fileprivate func withoutFirstBytes(_ count: Int) -> BarrierGeneration {
        BarrierGeneration(
            name: name, number: number, rank: rank,
            parties: parties.map { party in
                Party(
                    rank: party.rank, host: party.host, pid: party.pid,
                    arrivedAt: party.arrivedAt, payload: Array(party.payload.dropFirst(count)))
            }, viewNumber: viewNumber)
    }
}
