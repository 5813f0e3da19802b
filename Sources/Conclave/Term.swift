public import ConclaveBase
import ConclaveClientCore
import ConclaveWire

/// A leader's time in office, from its election on. It ends with the body it was given to.
public struct Term: Sendable {
    public let slot: String
    /// Which of the slot's places it is, from 0 on: nobody else has it meanwhile. A slot that one
    /// leads has place 0 alone.
    public let place: UInt32
    /// The term's number: larger than every earlier one of this slot's place, for ever.
    public let token: FencingToken
    /// What the leader before had published last.
    public let previousValue: [UInt8]
    /// How the term before this one ended.
    public let previousEnd: PreviousEnd

    private let name: ObjectName
    private let holding: Holding

    init(_ term: ConclaveWire.Term, _ holding: Holding) {
        slot = term.slot.text
        place = term.place
        token = term.token
        previousValue = term.previousValue
        previousEnd = PreviousEnd(term.previousEnd)
        name = term.slot
        self.holding = holding
    }

    /// Whether the term still lasts, by this host's clock: a memory read.
    public var isValid: Bool { holding.isValid }

    /// The same question in a form that can be kept and passed on.
    public var validity: Validity { Validity(holding) }

    /// Who waits for what is done in it.
    public var taskPath: TaskPath { holding.taskPath }

    /// Ends the term and gives its place to a session that stands by for the slot, before all others;
    /// who does not may be found by `Conclave.why`. The term counts as over from the call on; its
    /// body goes on, and should end.
    ///
    /// - Throws: `refused` if that session does not stand by, `deadlock` if those before it would wait
    ///   for themselves then. In both cases the term goes on.
    public func handOver(to standby: SessionID) async throws {
        try await holding.handOver(slot: name, to: standby)
    }

    /// Publishes another value, at most 4 KiB, without a new term.
    public func announce(_ value: [UInt8]) async throws {
        try Conclave.check(value: value)
        let answer = await holding.session.answer(
            to: .announce(slot: name, token: token, value: value))
        guard case .reply(.done) = answer else { throw ConclaveError.unexpected(answer) }
    }

    public func announce(_ value: String) async throws {
        try await announce(Array(value.utf8))
    }
}
