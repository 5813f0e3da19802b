public import ConclaveBase
import ConclaveClientCore
package import ConclaveWire

extension Conclave {
    /// A place where `parties` programs wait for each other.
    ///
    /// - Parameters:
    ///   - rank: This party's number, below `parties`; by default in order of arrival.
    ///   - payload: What the other parties get from this one; at most 4 KiB.
    ///   - timeout: How long to wait at most. A party that gives up breaks the generation for all.
    public func barrier(
        _ name: String, parties: Int, rank: Int? = nil, payload: [UInt8] = [],
        timeout: Duration? = nil
    ) -> Barrier {
        Barrier(
            conclave: self, name: name, parties: .count(parties, rank: rank), payload: payload,
            timeout: timeout)
    }

    public func barrier(
        _ name: String, parties: Int, rank: Int? = nil, payload: String, timeout: Duration? = nil
    ) -> Barrier {
        barrier(
            name, parties: parties, rank: rank, payload: Array(payload.utf8), timeout: timeout)
    }
}

extension Conclave {
    /// A place where the members of a task group wait for each other: all of those who belong to it
    /// when it is decided. Who joins must come, too; who leaves, or whose session ends, need not any
    /// more. Nobody has to know how many they are.
    ///
    /// - Parameters:
    ///   - member: For which member of the group this party arrives: of this session, or of another
    ///     process of the same user.
    ///   - payload: What the other parties get from this one; all together at most 512 KiB.
    ///   - timeout: How long to wait at most. A party that gives up breaks the generation for all.
    public func barrier(
        _ name: String, group: String, member: FencingToken, payload: [UInt8] = [],
        timeout: Duration? = nil
    ) -> Barrier {
        barrier(name, group: group, member: member, among: [], payload: payload, timeout: timeout)
    }

    /// - Parameter among: Who must come, as far as they belong to the group; empty: all members.
    func barrier(
        _ name: String, group: String, member: FencingToken, among: [FencingToken],
        payload: [UInt8], timeout: Duration?
    ) -> Barrier {
        Barrier(
            conclave: self, name: name,
            parties: .members(of: group, among: among, member: member), payload: payload,
            timeout: timeout)
    }
}

extension Membership {
    /// A place where the members of this group wait for each other: see
    /// `Conclave.barrier(_:group:member:payload:timeout:)`.
    public func barrier(
        _ name: String, payload: [UInt8] = [], timeout: Duration? = nil
    ) -> Barrier {
        conclave.barrier(
            name, group: group, member: token, payload: payload, timeout: timeout)
    }
}

/// One party's place at a barrier. It may arrive again: the next arrivals are a new generation.
public struct Barrier: Sendable {
    let conclave: Conclave
    let name: String
    let parties: Parties
    let payload: [UInt8]
    let timeout: Duration?

    enum Parties: Sendable {
        case count(Int, rank: Int?)
        case members(of: String, among: [FencingToken], member: FencingToken)
    }

    /// Arrives, and waits for the others. One decision holds for all: either every party whose
    /// session lives is told that the barrier tripped, or every one that it broke, and why.
    ///
    /// A task that is cancelled while it waits breaks the generation.
    ///
    /// - Parameter generation: Which one is meant; `nil`: the present one. They are numbered without a
    ///   gap while somebody refers to the barrier, so that whoever has come to one can name the next.
    ///   One that is over has the same result for all who took part in it, also if they ask again;
    ///   of a group's barrier only for those who are members still.
    /// - Throws: `barrierBroken` with a report, `timedOut`, `invalid` if the generation is none that
    ///   this session took part in, and so on; `notHeld` if it is of a group, and whom it arrives for
    ///   is no member, or not any more.
    public func arriveAndWait(generation: UInt64? = nil) async throws -> BarrierGeneration {
        let deadline = Conclave.deadline(after: timeout)
        var arrival = try arrival()
        arrival.generation = generation
        let answer = await conclave.session.answer(to: .arrive(arrival), deadline: deadline)
        guard case .reply(.tripped(let result)) = answer else {
            throw ConclaveError.unexpected(answer)
        }
        return BarrierGeneration(result)
    }

    private func arrival() throws -> BarrierArrival {
        guard payload.count <= ClientLimits.barrierPayload else {
            throw ConclaveError(
                .invalid,
                "the payload has \(payload.count) bytes, at most "
                    + "\(ClientLimits.barrierPayload) are possible")
        }
        switch parties {
        case .count(let count, let rank):
            return BarrierArrival(
                name: try Conclave.name(name), parties: try Self.check(count, rank),
                rank: rank.map(UInt32.init), payload: payload)
        case .members(let group, let among, let member):
            guard among.count <= ClientLimits.barrierMembersNamed else {
                throw ConclaveError(
                    .invalid, "at most \(ClientLimits.barrierMembersNamed) parties can be named")
            }
            let group = BarrierGroup(try Conclave.name(group), among: among.sorted())
            return BarrierArrival(
                name: try Conclave.name(name), group: group, member: member, payload: payload)
        }
    }

    private static func check(_ count: Int, _ rank: Int?) throws(ConclaveError) -> UInt32 {
        let possible = 1...Int(ClientLimits.barrierParties)
        guard possible.contains(count) else {
            throw ConclaveError(
                .invalid, "a barrier has 1 to \(possible.upperBound) parties, not \(count)")
        }
        if let rank, !(0..<count).contains(rank) {
            throw ConclaveError(.invalid, "a rank lies in 0 to \(count - 1), not \(rank)")
        }
        return UInt32(count)
    }
}

/// A generation of a barrier that tripped, as one of its parties is told.
public struct BarrierGeneration: Hashable, Sendable {
    public struct Party: Hashable, Sendable {
        public let rank: Int
        public let host: NodeID
        public let pid: UInt32
        public let arrivedAt: Timestamp
        public let payload: [UInt8]

        /// `payload` as text; what is not UTF-8 is replaced.
        public var text: String { String(decoding: payload, as: UTF8.self) }
    }

    public let name: String
    public let number: UInt64
    /// This party's own rank.
    public let rank: Int
    /// By rank.
    public let parties: [Party]
    /// Of the group whose members they are, the number of the view; `nil`: they were counted.
    public let viewNumber: UInt64?

    init(
        name: String, number: UInt64, rank: Int, parties: [Party], viewNumber: UInt64?
    ) {
        self.name = name
        self.number = number
        self.rank = rank
        self.parties = parties
        self.viewNumber = viewNumber
    }

    package init(_ result: BarrierResult) {
        let parties = result.parties.map { party in
            Party(
                rank: Int(party.rank), host: party.host, pid: party.pid,
                arrivedAt: party.arrivedAt, payload: party.payload)
        }
        self.init(
            name: result.name.text, number: result.generation, rank: Int(result.rank),
            parties: parties, viewNumber: result.view)
    }
}

/// Why a generation of a barrier broke: the same for all its parties.
public struct BarrierReport: Hashable, Sendable {
    /// New reasons may be added.
    public struct Reason: Hashable, Sendable, CustomStringConvertible {
        public let description: String

        /// A party's process died, or its session ended otherwise.
        public static let partyEnded = Reason(description: "partyEnded")
        /// A party waited as long as it would.
        public static let timedOut = Reason(description: "timedOut")
        /// A party gave up.
        public static let cancelled = Reason(description: "cancelled")
        /// Two parties named different counts, or the same rank.
        public static let disagreement = Reason(description: "disagreement")
    }

    /// A party that is missing, or that ended, and what is known of it.
    public struct Absence: Hashable, Sendable {
        public let rank: Int
        public let host: NodeID?
        public let pid: UInt32?
        public let lastSeen: Timestamp?
        /// Its process is known to have ended.
        public let hasEnded: Bool
    }

    public let name: String
    public let generation: UInt64
    public let reason: Reason
    /// In a sentence: who, and what.
    public let message: String
    /// By rank.
    public let missing: [Absence]
    public let arrivedCount: Int
    public let partyCount: Int

    package init(_ report: BarrierBreak) {
        name = report.name.text
        generation = report.generation
        reason = Reason(report.reason)
        message = report.message
        arrivedCount = Int(report.arrivedCount)
        partyCount = Int(report.parties)
        missing = report.missing.map(Absence.init)
    }
}

extension BarrierReport.Absence {
    init(_ absence: BarrierAbsence) {
        rank = Int(absence.rank)
        host = absence.host
        pid = absence.pid
        lastSeen = absence.lastSeen
        hasEnded = absence.hasEnded
    }
}

extension BarrierReport.Reason {
    fileprivate init(_ reason: BarrierBreakReason) {
        self =
            switch reason {
            case .partyEnded: .partyEnded
            case .timedOut: .timedOut
            case .cancelled: .cancelled
            case .disagreement: .disagreement
            }
    }
}
