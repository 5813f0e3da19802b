import ConclaveBase
import ConclaveWire

/// A call whose answer is awaited, or a subscription.
struct Call {
    enum Content {
        case operation(Operation)
        case query(ClientCore.Query)
    }

    var content: Content
    var deadline: Instant
    /// On any connection: an operation may have been applied from then on.
    var wasSent = false
    /// Why the ordered cancel was asked for, once it was.
    var givenUp: CancelReason?
    /// An ordered cancel: nobody waits for its own answer.
    var isInternal = false
    /// A subscription that has told its first state.
    var isAnswered = false
    /// The newest view told to a follower of views.
    var newestEpoch = Epoch.none

    init(_ content: Content, deadline: Instant?) {
        self.content = content
        self.deadline = deadline ?? .distantFuture
    }

    var isOperation: Bool {
        if case .operation = content { true } else { false }
    }
}

/// The calls of one session by number.
struct CallTable {
    private var calls: [UInt64: Call] = [:]
    private(set) var lastNumber: UInt64 = 0

    /// In order of number.
    var numbers: [UInt64] { calls.keys.sorted() }

    /// A number for a frame that is no call.
    mutating func drawNumber() -> UInt64 {
        lastNumber += 1
        return lastNumber
    }

    mutating func add(_ call: Call) -> UInt64 {
        let number = drawNumber()
        calls[number] = call
        return number
    }

    subscript(number: UInt64) -> Call? {
        get { calls[number] }
        set { calls[number] = newValue }
    }

    mutating func removeAll() {
        calls.removeAll()
    }

    /// The earliest deadline of a call that was not given up yet.
    var earliestDeadline: Instant {
        var earliest = Instant.distantFuture
        for call in calls.values where call.givenUp == nil && !call.isAnswered {
            earliest = min(earliest, call.deadline)
        }
        return earliest
    }
}
