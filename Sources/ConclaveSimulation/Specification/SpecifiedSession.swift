import ConclaveBase
import ConclaveCoordination
import ConclaveWire

/// A session, and what became of each of its requests.
struct SpecifiedSession {
    enum Entry {
        case waiting(ObjectKey)
        /// `settledBy`: the number whose confirmation proves that the client has the reply; `nil`
        /// as long as no later request was applied after a reply that came late.
        case answered(Reply, settledBy: UInt64?)
    }

    enum Standing {
        case unknown, settled, refused
        case waiting(ObjectKey)
        case answered(Reply)
    }

    let id: SessionID
    let clientID: Secret
    let secret: Secret
    let ttl: Interval
    let label: String
    var process: ProcessIdentity
    var attachment: Attachment
    var takeover: ResumeCommand?
    var isForced = false
    var entries: [UInt64: Entry] = [:]
    var confirmed: UInt64 = 0
    var newest: UInt64 = 0
    /// Up to here what is not there was refused for good.
    var refused: UInt64 = 0

    func standing(of number: UInt64) -> Standing {
        switch entries[number] {
        case .waiting(let key)?: .waiting(key)
        case .answered(let reply, _)?: .answered(reply)
        case nil: number <= confirmed ? .settled : number <= refused ? .refused : .unknown
        }
    }

    mutating func begin(_ number: UInt64) {
        guard number > newest else { return }
        newest = number
        for (late, entry) in entries {
            if case .answered(let reply, settledBy: nil) = entry {
                entries[late] = .answered(reply, settledBy: number)
            }
        }
    }

    /// What waits, or is answered and not confirmed: late replies may be kept longer.
    var openCount: Int {
        entries.count { number, entry in
            if case .answered = entry { number > confirmed } else { true }
        }
    }

    mutating func answer(_ number: UInt64, _ reply: Reply) {
        let isLate = entries[number] != nil
        entries[number] = .answered(reply, settledBy: isLate ? nil : number)
    }

    mutating func confirm(upTo number: UInt64) {
        guard number > confirmed else { return }
        confirmed = number
        entries = entries.filter { entry, state in
            guard entry <= number, case .answered(_, let settledBy?) = state else { return true }
            return settledBy > number
        }
    }

    /// A generation whose result is among the unconfirmed replies.
    func refers(to barrier: ObjectName, _ generation: UInt64) -> Bool {
        entries.values.contains { entry in
            switch entry {
            case .answered(.tripped(let result), _):
                result.name == barrier && result.generation == generation
            case .answered(.broken(let report), _):
                report.name == barrier && report.generation == generation
            case .answered, .waiting: false
            }
        }
    }
}
