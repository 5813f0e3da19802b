/// The queue as every member has it. It changes only by what all members are told in one order, so all
/// that have it have the same.
struct SharedQueue: Equatable {
    /// The members that have the queue, by rank.
    private var workers: [UInt64] = []
    /// What is to be done, by item.
    private(set) var open: [UInt64: String] = [:]
    /// Names the present shares: another view, others.
    private(set) var view: UInt64 = 0

    /// A new one.
    init() {}

    /// As a member has handed it over, in `bytes`.
    init(_ bytes: [UInt8]) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let item = try Self.number(before: " ", in: &rest)
            let count = try Self.number(before: " ", in: &rest)
            guard count <= UInt64(rest.count) else { throw Failure("the queue ends too early") }
            open[item] = String(decoding: rest.prefix(Int(count)), as: UTF8.self)
            rest = rest.dropFirst(Int(count))
        }
    }

    /// The open items: the number of each, how many bytes its text has, and the text.
    var bytes: [UInt8] {
        open.sorted { $0.key < $1.key }.flatMap { item, text in
            Array("\(item) \(text.utf8.count) \(text)".utf8)
        }
    }

    private static func number(
        before end: Character, in bytes: inout ArraySlice<UInt8>
    ) throws -> UInt64 {
        let digits = bytes.prefix { $0 != end.asciiValue }
        guard let number = UInt64(String(decoding: digits, as: UTF8.self)) else {
            throw Failure("an item of the queue has no number")
        }
        bytes = bytes[digits.endIndex...].dropFirst()
        return number
    }

    mutating func install(view number: UInt64, workers: [UInt64]) {
        self.workers = workers
        view = number
    }

    /// - Parameter version: At which the message was ordered.
    mutating func apply(_ message: QueueMessage, at version: UInt64) {
        switch message {
        case .item(let text): open[version] = text
        case .done(let item): open[item] = nil
        }
    }

    /// Who does an item: of the members that have the queue the one that, mixed with the item, makes
    /// the largest number (rendezvous hashing). When a member is gone only its items have
    /// another worker then; to a newcomer go its share of the items and no others.
    func worker(of item: UInt64) -> UInt64? {
        workers.max { Self.mixed($0, item) < Self.mixed($1, item) }
    }

    /// The oldest item that this member is to do.
    func next(for member: UInt64) -> (item: UInt64, text: String)? {
        let item = open.keys.filter { worker(of: $0) == member }.min()
        return item.map { ($0, open[$0] ?? "") }
    }

    /// The same in every process, unlike Swift's own hashes: the finalizer of SplitMix64.
    private static func mixed(_ member: UInt64, _ item: UInt64) -> UInt64 {
        var number = member &* 0x9E37_79B9_7F4A_7C15 ^ item
        number = (number ^ (number >> 30)) &* 0xBF58_476D_1CE4_E5B9
        number = (number ^ (number >> 27)) &* 0x94D0_49BB_1331_11EB
        return number ^ (number >> 31)
    }
}
