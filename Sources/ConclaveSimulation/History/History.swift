import ConclaveBase
import ConclaveWire

/// What processes did and were told, put together from events: operations from call to answer, and
/// the lives of sessions.
package struct History {
    /// An operation of a process.
    struct Operation: Equatable {
        var process: UInt64
        var call: UInt64
        var what: HistoryCall
        var invoked: UInt64
        var gaveUp: UInt64?
        /// `.max`: it never was answered.
        var completed = UInt64.max
        var answer: HistoryAnswer?

        /// It may have had an effect, at any time from its call on.
        var isOpen: Bool {
            switch answer {
            case nil, .unknown?: true
            default: false
            }
        }
    }

    /// When the session of a process may end: what the process itself can know.
    struct Life: Equatable {
        var session: SessionID?
        /// Not before this: the process said goodbye, died, or had it for lost.
        var endsFrom = UInt64.max
        /// It has ended by then.
        var endedBy = UInt64.max
        var saidGoodbye = false
        var died = false
        var wasLost = false

        /// How the end may show to the next holder.
        func mayShow(as end: PreviousEnd) -> Bool {
            switch end {
            case .none, .released: false
            case .goodbye: saidGoodbye
            // A process that has taken the session over may die, too.
            case .died: died || wasLost
            // Whose session is ended by force may not know that yet.
            case .expired, .forced: true
            }
        }
    }

    private struct Key: Hashable {
        var process: UInt64
        var call: UInt64
    }

    struct WatchKey: Hashable, Comparable {
        var process: UInt64
        var call: UInt64

        static func < (lhs: Self, rhs: Self) -> Bool {
            (lhs.process, lhs.call) < (rhs.process, rhs.call)
        }
    }

    private(set) var operations: [Operation] = []
    private(set) var lives: [UInt64: Life] = [:]
    private(set) var observations: [(process: UInt64, what: HistoryObservation)] = []
    private(set) var reads: [(process: UInt64, answered: UInt64, what: HistoryRead)] = []
    /// By process and call, in the order in which they were told.
    private(set) var watches: [WatchKey: [(at: UInt64, what: HistoryWatch)]] = [:]
    private var places: [Key: Int] = [:]

    package init() {}

    package init(_ events: some Sequence<HistoryEvent>) throws(HistoryError) {
        for event in events { try add(event) }
    }

    /// From a file's lines; those with nothing in them are passed over.
    package init(lines: some Sequence<Substring>) throws(HistoryError) {
        for line in lines where !line.allSatisfy(\.isWhitespace) {
            try add(try HistoryEvent(line: line))
        }
    }

    package mutating func add(_ event: HistoryEvent) throws(HistoryError) {
        let process = event.process
        switch event.kind {
        case .opened(let session):
            guard lives[process]?.session ?? session == session else {
                throw .outOfPlace(process: process, what: "a second session")
            }
            lives[process, default: Life()].session = session
        case .called(let call): try begin(call, event)
        case .gaveUp: try giveUp(event)
        case .answered(let answer): try complete(answer, event)
        case .goodbye:
            lives[process, default: Life()].saidGoodbye = true
            mayEnd(process, from: event.nanoseconds)
        case .closed: lives[process, default: Life()].endedBy = event.nanoseconds
        case .lost(let since):
            lives[process, default: Life()].wasLost = true
            mayEnd(process, from: min(since, event.nanoseconds))
        case .died(let since):
            lives[process, default: Life()].died = true
            let known = since ?? lastProofOfLife(of: process)
            mayEnd(process, from: min(known, event.nanoseconds))
        case .observed(let observation): observations.append((process, observation))
        case .read(let read): reads.append((process, event.nanoseconds, read))
        case .watched(let watch):
            watches[WatchKey(process: process, call: event.call), default: []]
                .append((event.nanoseconds, watch))
        }
    }

    private mutating func mayEnd(_ process: UInt64, from nanoseconds: UInt64) {
        let known = lives[process, default: Life()].endsFrom
        lives[process]!.endsFrom = min(known, nanoseconds)
    }

    /// An operation that was answered began when the session lived.
    private func lastProofOfLife(of process: UInt64) -> UInt64 {
        operations.reduce(0) { newest, operation in
            guard operation.process == process, !operation.isOpen else { return newest }
            return max(newest, operation.invoked)
        }
    }

    private mutating func begin(_ call: HistoryCall, _ event: HistoryEvent) throws(HistoryError) {
        let key = Key(process: event.process, call: event.call)
        guard places[key] == nil else {
            throw .outOfPlace(process: event.process, what: "call \(event.call) once more")
        }
        places[key] = operations.count
        operations.append(
            Operation(
                process: event.process, call: event.call, what: call,
                invoked: event.nanoseconds))
    }

    private func place(of event: HistoryEvent) throws(HistoryError) -> Int {
        guard let place = places[Key(process: event.process, call: event.call)] else {
            throw .outOfPlace(
                process: event.process, what: "call \(event.call), which never began")
        }
        return place
    }

    /// Who has given up and does so again gave up the first time.
    private mutating func giveUp(_ event: HistoryEvent) throws(HistoryError) {
        let place = try place(of: event)
        operations[place].gaveUp = min(operations[place].gaveUp ?? .max, event.nanoseconds)
    }

    private mutating func complete(
        _ answer: HistoryAnswer, _ event: HistoryEvent
    ) throws(HistoryError) {
        let place = try place(of: event)
        guard operations[place].answer == nil else {
            throw .outOfPlace(
                process: event.process, what: "a second answer to call \(event.call): \(answer)")
        }
        guard event.nanoseconds >= operations[place].invoked else {
            throw .outOfPlace(
                process: event.process, what: "an answer to call \(event.call) before the call")
        }
        operations[place].answer = answer
        operations[place].completed = event.nanoseconds
    }
}
