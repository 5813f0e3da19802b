import ConclaveBase
import ConclaveSimulation
import ConclaveWire

/// Writes a history down as a story: each line is what a process did, and the time goes on by one
/// with each.
struct HistoryBuilder {
    private(set) var events: [HistoryEvent] = []
    private var now: UInt64 = 100

    static func name(_ text: String) -> ObjectName {
        do {
            return try ObjectName(text)
        } catch {
            preconditionFailure("\(text) is no name")
        }
    }

    private mutating func add(_ kind: HistoryEvent.Kind, _ process: UInt64, call: UInt64 = 0) {
        now += 1
        events.append(HistoryEvent(at: now, process: process, call: call, kind))
    }

    /// Sessions have the numbers of their processes.
    mutating func open(_ processes: UInt64...) {
        for process in processes { add(.opened(SessionID(process)), process) }
    }

    mutating func call(
        _ process: UInt64, _ call: UInt64, _ action: HistoryCall.Action, _ name: String = "a"
    ) {
        add(.called(HistoryCall(action, Self.name(name))), process, call: call)
    }

    mutating func answer(_ process: UInt64, _ call: UInt64, _ answer: HistoryAnswer) {
        add(.answered(answer), process, call: call)
    }

    mutating func giveUp(_ process: UInt64, _ call: UInt64) {
        add(.gaveUp, process, call: call)
    }

    mutating func goodbye(_ process: UInt64) { add(.goodbye, process) }
    mutating func close(_ process: UInt64) { add(.closed, process) }
    mutating func die(_ process: UInt64) { add(.died(since: nil), process) }

    /// It was valid until just now.
    mutating func lose(_ process: UInt64) { add(.lost(since: now), process) }

    mutating func observe(_ process: UInt64, version: UInt64, token: UInt64?) {
        let observation = HistoryObservation(
            slot: Self.name("s"), version: Version(version), token: token.map(FencingToken.init),
            value: [])
        add(.observed(observation), process)
    }

    /// Asked just now, or at `since`.
    mutating func read(
        _ process: UInt64, _ query: KeyQuery, _ report: KeyReport, since: UInt64? = nil
    ) {
        now += 1
        add(
            .read(HistoryRead(asked: since ?? now, query: query, report: report)), process)
    }

    /// Of the process's only watch, of everything.
    mutating func watched(_ process: UInt64, _ news: KeyNews) {
        add(
            .watched(HistoryWatch(watch: KeyWatch(.prefix("")), news: news)), process, call: 1)
    }

    /// A whole operation that nothing overlaps.
    mutating func run(
        _ process: UInt64, _ call: UInt64, _ action: HistoryCall.Action,
        _ answer: HistoryAnswer, _ name: String = "a"
    ) {
        self.call(process, call, action, name)
        self.answer(process, call, answer)
    }

    func check() throws -> HistoryChecker {
        var checker = HistoryChecker(try History(events))
        try checker.check()
        return checker
    }

    /// The promise that the history breaks; `nil`: none.
    func broken() throws -> ContractPromise? {
        do {
            // As a program would that reads what processes wrote.
            let text = events.map(\.line).joined(separator: "\n")
            var checker = HistoryChecker(try History(lines: text.split(separator: "\n")))
            try checker.check()
            return nil
        } catch let violation as Violation {
            return violation.promise
        }
    }
}

extension HistoryCall.Action {
    static let lock = HistoryCall.Action.acquire(.exclusive, isTry: false)
    static let share = HistoryCall.Action.acquire(.shared, isTry: false)
    static let delayedLock = HistoryCall.Action.acquire(
        .exclusive, isTry: false, lockDelay: .seconds(1))
    static let tryLock = HistoryCall.Action.acquire(.exclusive, isTry: true)
    static let tryShare = HistoryCall.Action.acquire(.shared, isTry: true)

    static func permits(_ count: UInt32, of limit: UInt32) -> HistoryCall.Action {
        .acquire(.permits(count, of: limit), isTry: false)
    }

    static func tryPermits(_ count: UInt32) -> HistoryCall.Action {
        .acquire(.permits(count, of: nil), isTry: true)
    }

    static func release(_ token: UInt64) -> HistoryCall.Action { .release(FencingToken(token)) }
    static func upgrade(_ token: UInt64) -> HistoryCall.Action { .upgrade(FencingToken(token)) }

    static func downgrade(_ token: UInt64) -> HistoryCall.Action {
        .downgrade(FencingToken(token))
    }

    static func resign(_ token: UInt64) -> HistoryCall.Action { .resign(FencingToken(token)) }

    static func announce(_ token: UInt64, _ value: UInt8) -> HistoryCall.Action {
        .announce(FencingToken(token), value: [value])
    }

    static func arrive(_ payload: UInt8, of parties: UInt32 = 2) -> HistoryCall.Action {
        .arrive(parties: parties, rank: nil, generation: nil, payload: [payload])
    }
}

extension HistoryAnswer {
    static func granted(_ token: UInt64, after end: PreviousEnd = .none) -> HistoryAnswer {
        .granted(FencingToken(token), after: end)
    }

    static func busy(_ process: UInt64) -> HistoryAnswer { .busy(holder: SessionID(process)) }

    static func elected(
        _ token: UInt64, place: UInt32 = 0, after end: PreviousEnd = .none, _ value: [UInt8] = []
    ) -> HistoryAnswer {
        .elected(FencingToken(token), place: place, after: end, previousValue: value)
    }

    static func tripped(_ generation: UInt64, rank: UInt32, _ payloads: UInt8...) -> HistoryAnswer {
        .tripped(generation: generation, rank: rank, payloads: payloads.map { [$0] })
    }

    static func broken(
        _ generation: UInt64, _ reason: BarrierBreakReason = .cancelled
    ) -> HistoryAnswer {
        .broken(generation: generation, reason)
    }
}
