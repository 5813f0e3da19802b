import ConclaveBase
import ConclaveWire

/// Questions about keys that wait for a mark in the order: what is applied then holds everything
/// that was acknowledged anywhere before they were asked.
struct KeyReads {
    enum Question {
        case read(KeyQuery)
        case watch(KeyWatch)
    }

    struct Read {
        let connection: ConnectionID
        let number: UInt64
        let question: Question
    }

    static let maximumPerConnection = 1_024

    /// By the mark that each waits for, in the order in which they were asked.
    private var waiting: [(mark: UInt64, read: Read)] = []
    /// Whose mark is applied, in the order in which they were asked.
    private var ready: [Read] = []
    private var counts: [ConnectionID: Int] = [:]
    private var lastMark: UInt64 = 0
    /// The newest mark is not on its way yet: whoever asks now may wait for it.
    private var isOpen = false

    var isEmpty: Bool { waiting.isEmpty }

    @inline(__always)
    var hasReady: Bool { !ready.isEmpty }

    func count(of connection: ConnectionID) -> Int { counts[connection] ?? 0 }

    /// Returns the mark that is to be proposed for it; `nil`: one that will do is.
    mutating func add(_ read: Read) -> UInt64? {
        let mark = isOpen ? nil : drawMark()
        waiting.append((lastMark, read))
        counts[read.connection, default: 0] += 1
        return mark
    }

    /// What was proposed is on its way.
    mutating func close() {
        isOpen = false
    }

    /// Marks on their way may be lost: the one to be proposed for all that wait; `nil`: nobody does.
    mutating func drawAnew() -> UInt64? {
        isOpen = false
        guard !waiting.isEmpty else { return nil }
        let mark = drawMark()
        for index in waiting.indices { waiting[index].mark = mark }
        return mark
    }

    /// Those that waited for no later mark than this may be answered.
    mutating func release(upTo mark: UInt64) {
        let count = waiting.prefix { $0.mark <= mark }.count
        ready += waiting[..<count].map(\.read)
        waiting.removeFirst(count)
    }

    /// All that may be answered. Each is `answered` then, or kept.
    mutating func takeReady() -> [Read] {
        var taken: [Read] = []
        swap(&taken, &ready)
        return taken
    }

    mutating func keep(_ reads: [Read]) {
        ready += reads
    }

    mutating func answered(_ read: Read) {
        uncount(read)
    }

    mutating func remove(_ connection: ConnectionID, _ number: UInt64) {
        removeAll { $0.connection == connection && $0.number == number }
    }

    mutating func removeAll(of connection: ConnectionID) {
        removeAll { $0.connection == connection }
    }

    private mutating func removeAll(where isMeant: (Read) -> Bool) {
        for entry in waiting where isMeant(entry.read) { uncount(entry.read) }
        for read in ready where isMeant(read) { uncount(read) }
        waiting.removeAll { isMeant($0.read) }
        ready.removeAll(where: isMeant)
    }

    private mutating func drawMark() -> UInt64 {
        lastMark += 1
        isOpen = true
        return lastMark
    }

    private mutating func uncount(_ read: Read) {
        let count = counts[read.connection] ?? 0
        counts[read.connection] = count > 1 ? count - 1 : nil
    }
}
