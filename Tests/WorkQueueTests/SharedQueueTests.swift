import Testing

@testable import work_queue

/// A group that tells its members everything in one order, each at its own pace.
private struct Room {
    private enum Told {
        case view(number: UInt64, members: [UInt64])
        case message(QueueMessage, version: UInt64)
    }

    private struct Member {
        var queue: SharedQueue
        var heard: [Told] = []
        /// What it has said, and is not ordered yet.
        var said: [QueueMessage] = []
    }

    private var members: [UInt64: Member] = [:]
    private var version: UInt64 = 0

    var tokens: [UInt64] { members.keys.sorted() }

    func queue(of member: UInt64) -> SharedQueue { members[member]!.queue }

    mutating func join() -> UInt64 {
        version += 1
        members[version] = Member(queue: SharedQueue(own: version))
        tell(.view(number: version, members: tokens))
        return version
    }

    mutating func remove(_ member: UInt64) {
        version += 1
        members[member] = nil
        tell(.view(number: version, members: tokens))
    }

    @discardableResult
    mutating func order(_ message: QueueMessage) -> UInt64 {
        version += 1
        tell(.message(message, version: version))
        return version
    }

    private mutating func tell(_ told: Told) {
        for member in tokens { members[member]!.heard.append(told) }
    }

    mutating func say(_ message: QueueMessage, by member: UInt64) {
        members[member]!.said.append(message)
    }

    /// The next that the member has said is ordered.
    mutating func orderNext(of member: UInt64) {
        guard !members[member]!.said.isEmpty else { return }
        order(members[member]!.said.removeFirst())
    }

    /// The member hears the next that it was told.
    mutating func hearNext(by member: UInt64) {
        guard !members[member]!.heard.isEmpty else { return }
        switch members[member]!.heard.removeFirst() {
        case .view(let number, let tokens):
            let messages = members[member]!.queue.install(view: number, members: tokens)
            members[member]!.said += messages
        case .message(let message, let version):
            members[member]!.queue.apply(message, at: version)
        }
    }

    mutating func settle() {
        while let member = tokens.first(where: {
            !members[$0]!.heard.isEmpty || !members[$0]!.said.isEmpty
        }) {
            hearNext(by: member)
            orderNext(of: member)
        }
    }
}

@Suite struct `The queue that members share` {
    @Test func `is told to a newcomer, which then has its share`() {
        var room = Room()
        let first = room.join()
        room.settle()
        let items = (1...20).map { room.order(.item(text: "\($0)")) }
        let newcomer = room.join()
        room.settle()
        #expect(room.queue(of: newcomer).isWelcomed)
        #expect(Set(room.queue(of: newcomer).open.keys) == Set(items))
        #expect(room.queue(of: newcomer).open == room.queue(of: first).open)
        #expect(Set(items.map(room.queue(of: newcomer).worker)) == [first, newcomer])
    }

    @Test func `has nothing that was done before a newcomer came, though it is said to another`() {
        var room = Room()
        let first = room.join()
        room.settle()
        let item = room.order(.item(text: "done early"))
        let newcomer = room.join()
        // The first says the item again, for the newcomer, and that is not ordered yet.
        room.hearNext(by: first)
        room.hearNext(by: first)
        room.order(.done(item: item))
        let later = room.join()
        room.settle()
        for member in [first, newcomer, later] {
            #expect(room.queue(of: member).isWelcomed)
            #expect(room.queue(of: member).open.isEmpty, "member \(member)")
        }
    }

    /// As many as there is room for come, go, add and do items in any order.
    @Test(arguments: UInt64(1)...200)
    func `is the same for all that were welcomed, whoever comes and goes`(seed: UInt64) {
        var random = Draws(state: seed)
        var room = Room()
        _ = room.join()
        room.settle()
        var open: Set<UInt64> = []
        for step in 0..<300 {
            let members = room.tokens
            let member = members.randomElement(using: &random)!
            switch Int.random(in: 0..<20, using: &random) {
            case 0: if members.count < 5 { _ = room.join() }
            case 1:
                // Whoever is left must know of the items.
                let knowing = members.filter { room.queue(of: $0).isWelcomed }
                if members.count > 3, knowing.count > 1 || knowing != [member] {
                    room.remove(member)
                }
            case 2...4: open.insert(room.order(.item(text: "\(step)")))
            case 5...6:
                if let item = room.queue(of: member).next?.item, open.remove(item) != nil {
                    room.order(.done(item: item))
                }
            case 7...11: room.orderNext(of: member)
            default: room.hearNext(by: member)
            }
        }
        room.settle()
        for member in room.tokens {
            #expect(room.queue(of: member).isWelcomed)
            #expect(Set(room.queue(of: member).open.keys) == open, "member \(member)")
        }
    }

    private struct Draws: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var number = state
            number = (number ^ (number >> 30)) &* 0xBF58_476D_1CE4_E5B9
            number = (number ^ (number >> 27)) &* 0x94D0_49BB_1331_11EB
            return number ^ (number >> 31)
        }
    }
}
