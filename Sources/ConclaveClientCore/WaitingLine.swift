/// Operations of one kind that were not sent yet, in the order of the calls.
struct WaitingLine {
    private var calls: [CallID] = []
    private var start = 0

    var first: CallID? { start < calls.count ? calls[start] : nil }

    mutating func append(_ call: CallID) {
        calls.append(call)
    }

    mutating func removeFirst() {
        start += 1
        guard start >= 64, start * 2 >= calls.count else { return }
        calls.removeFirst(start)
        start = 0
    }
}
