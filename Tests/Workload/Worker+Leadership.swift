import Conclave
import ConclaveBase
import ConclaveSimulation
import Synchronization

extension Worker {
    /// The call whose answer comes next: a campaign's, then that of the resignation.
    private final class NextAnswer: Sendable {
        let call: Mutex<Life.Call>
        /// Until when the term was held, as was known before it was resigned.
        let deadline = Mutex(ContinuousClock.now)

        init(_ call: Life.Call) {
            self.call = Mutex(call)
        }
    }

    /// Campaigns for a slot, leads, and resigns.
    mutating func lead(_ life: Life) async {
        let slot = draw(Self.slotNames)
        let value = life.process.bytes + random.next().bytes
        let announced: [UInt8]? = chance(of: 2) ? random.next().bytes : nil
        let held = number(in: 0...80)
        let wait = Duration.milliseconds(number(in: 200...6_000))
        let next = NextAnswer(life.begin(.campaign(value: value), on: slot))
        do {
            try await life.conclave.withLeadership(of: slot.text, value: value, wait: wait) {
                term in
                life.end(
                    next.call.withLock { $0 },
                    with: .elected(
                        term.token, place: term.place, after: .init(named: "\(term.previousEnd)"),
                        previousValue: term.previousValue))
                await life.hold(term.validity, milliseconds: held)
                if let announced { await Self.announce(announced, in: term, of: slot, life) }
                let resignation = life.begin(.resign(term.token), on: slot)
                next.call.withLock { $0 = resignation }
                next.deadline.withLock { $0 = term.validity.deadline }
            }
            life.endLettingGo(
                next.call.withLock { $0 }, heldUntil: next.deadline.withLock { $0 })
        } catch {
            life.fail(next.call.withLock { $0 }, with: error)
        }
    }

    private static func announce(
        _ value: [UInt8], in term: Term, of slot: ObjectName, _ life: Life
    ) async {
        let call = life.begin(.announce(term.token, value: value), on: slot)
        do {
            try await term.announce(value)
            life.end(call, with: .done)
        } catch {
            life.fail(call, with: error)
        }
        life.note(term.validity)
    }
}

extension UInt64 {
    /// The lowest byte first.
    var bytes: [UInt8] { (0..<8).map { UInt8(truncatingIfNeeded: self >> ($0 * 8)) } }
}
