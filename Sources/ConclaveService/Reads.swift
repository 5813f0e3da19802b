import ConclaveBase
import ConclaveWire

/// Questions about what is replicated. Most wait for a mark: when it is passed, what is applied holds
/// everything that was acknowledged anywhere before they were asked. Then they wait for a share of a
/// turn.
struct Reads {
    enum Question {
        case read(KeyQuery)
        case watch(KeyWatch)
        case follow(GroupFollow)
        case objects(ObjectQuery)

        /// To be answered from the own copy, however old that is.
        var isLocal: Bool {
            switch self {
            case .read(let query): query.isLocal
            case .watch, .follow: false
            case .objects(let query): query.isLocal
            }
        }
    }

    typealias ID = Subscriptions.Subscriber

    private struct Asked {
        let question: Question
        let serial: UInt64
    }

    private var asked: [ConnectionID: [UInt64: Asked]] = [:]
    private var lastSerial: UInt64 = 0
    /// By the mark that each waits for, in the order in which they were asked.
    private var waiting: [(mark: UInt64, place: TurnLine.Place)] = []
    /// Those that may be answered.
    var line = TurnLine()
    /// Places that may be of questions that were answered or taken back, at most.
    private var staleCount = 0
    private var lastMark: UInt64 = 0
    /// The newest mark is not on its way yet: whoever asks now may wait for it.
    private var isOpen = false

    func count(of connection: ConnectionID) -> Int { asked[connection]?.count ?? 0 }

    /// Whether the question of that number is still to be answered.
    func has(_ id: ID) -> Bool { asked[id.connection]?[id.number] != nil }

    /// Returns the mark that is to be asked for; `nil`: one that will do is.
    ///
    /// - Precondition: there is none of that number.
    mutating func add(_ question: Question, _ id: ID) -> UInt64? {
        let place = note(question, id)
        let mark = isOpen ? nil : drawMark()
        waiting.append((lastMark, place))
        return mark
    }

    /// It waits for no mark.
    mutating func addReady(_ question: Question, _ id: ID) {
        line.append(note(question, id))
    }

    private mutating func note(_ question: Question, _ id: ID) -> TurnLine.Place {
        lastSerial += 1
        asked[id.connection, default: [:]][id.number] = Asked(
            question: question, serial: lastSerial)
        return TurnLine.Place(id: id, serial: lastSerial)
    }

    /// The newest mark was asked for.
    mutating func close() {
        isOpen = false
    }

    /// Marks on their way may be lost: the one to be asked for by all that wait; `nil`: nobody does.
    mutating func drawAnew() -> UInt64? {
        isOpen = false
        waiting = waiting.filter { question(at: $0.place) != nil }
        guard !waiting.isEmpty else { return nil }
        let mark = drawMark()
        for index in waiting.indices { waiting[index].mark = mark }
        return mark
    }

    /// Those that waited for no later mark than this may be answered.
    mutating func release(upTo mark: UInt64) {
        let count = waiting.prefix { $0.mark <= mark }.count
        line.append(waiting[..<count].lazy.map(\.place))
        waiting.removeFirst(count)
    }

    /// `nil`: whoever asked is gone.
    func question(at place: TurnLine.Place) -> Question? {
        let found = asked[place.id.connection]?[place.id.number]
        return found?.serial == place.serial ? found?.question : nil
    }

    /// It is answered, or not to be.
    mutating func remove(_ id: ID) {
        guard asked[id.connection]?.removeValue(forKey: id.number) != nil else { return }
        if asked[id.connection]?.isEmpty == true { asked[id.connection] = nil }
        line.leave(id)
        noteStale(1)
    }

    /// Asking and taking back, again and again, keeps no more places than there are questions.
    private mutating func noteStale(_ count: Int) {
        staleCount += count
        guard staleCount > 1_024, staleCount > waiting.count / 2 else { return }
        staleCount = 0
        waiting = waiting.filter { question(at: $0.place) != nil }
    }

    mutating func removeAll(of connection: ConnectionID) {
        let count = count(of: connection)
        asked[connection] = nil
        line.closed(connection)
        noteStale(count)
    }

    private mutating func drawMark() -> UInt64 {
        lastMark += 1
        isOpen = true
        return lastMark
    }
}
