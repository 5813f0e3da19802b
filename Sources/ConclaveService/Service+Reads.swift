import ConclaveBase
import ConclaveCoordination
import ConclaveWire

/// Questions about what is replicated: from the own copy, or once that is known to be new enough.
extension Service {
    mutating func ask(
        _ type: ClientFrameType, _ frame: FrameBuffer.Frame, from id: ConnectionID,
        effects: inout [ServiceEffect]
    ) throws(WireError) {
        var reader = ByteReader(frame.body)
        let number = frame.header.number
        let question: Reads.Question
        if let query = try ObjectQuery(type, from: &reader) {
            question = .objects(query)
        } else if type == .watchKeys {
            question = .watch(try KeyWatch(from: &reader))
        } else if type == .followGroup {
            question = .follow(try GroupFollow(from: &reader))
        } else {
            question = .read(try KeyQuery(from: &reader))
        }
        try reader.finish()
        let read = Reads.ID(connection: id, number: number)
        guard !reads.has(read) else {
            let message = "question \(number) is still to be answered"
            return refuse(
                Refusal(.invalid, message), type: type.rawValue, number: number, on: id,
                effects: &effects)
        }
        guard hasRoom(for: question, of: id, type, number, effects: &effects) else { return }
        let isEarly =
            settings.plant == .readAnsweredEarly
            && [.readKeys, .readLeases, .readLatches].contains(type)
        if question.isLocal || isEarly { return reads.addReady(question, read) }
        // Reads share a mark as long as it is not on its way.
        if let mark = reads.add(question, read) { wantedMark = mark }
    }

    private mutating func hasRoom(
        for question: Reads.Question, of id: ConnectionID, _ type: ClientFrameType,
        _ number: UInt64, effects: inout [ServiceEffect]
    ) -> Bool {
        switch question {
        case .watch, .follow:
            let watch = Reads.ID(connection: id, number: number)
            guard mayWatch(watch, type, effects: &effects) else { return false }
        case .objects where type == .observeLeader:
            let watch = Reads.ID(connection: id, number: number)
            guard mayWatch(watch, type, effects: &effects) else { return false }
        case .read, .objects: break
        }
        return hasRoom(of: id, type, number, effects: &effects)
    }

    /// Refuses what would be too much for one user: when it is asked, and again when it begins.
    mutating func mayWatch(
        _ id: Reads.ID, _ type: ClientFrameType, effects: inout [ServiceEffect]
    ) -> Bool {
        let uid = uid(of: id.connection)
        let limit = settings.maximumWatchesPerUID
        let count =
            keyWatchers.table.count(ofUID: uid) + groupFollowers.table.count(ofUID: uid)
            + leaderObservers.table.count(ofUID: uid) + subscriptions.count(ofUID: uid)
        guard count >= limit else { return true }
        refuse(
            Refusal(
                .quotaExceeded,
                "user \(uid) watches keys, groups, leaders and views \(limit) times on this host already: "
                    + "end some first"),
            type: type.rawValue, number: id.number, on: id.connection, effects: &effects)
        return false
    }

    func uid(of id: ConnectionID) -> UInt32 { connections[id]?.process.uid ?? 0 }

    /// Refuses what would be too much for one connection.
    mutating func hasRoom(
        of id: ConnectionID, _ type: ClientFrameType, _ number: UInt64,
        effects: inout [ServiceEffect]
    ) -> Bool {
        let limit = Self.subscriptionsPerConnection
        let count =
            reads.count(of: id) + keyWatchers.table.count(of: id) + subscriptions.count(of: id)
            + groupFollowers.table.count(of: id) + leaderObservers.table.count(of: id)
        guard count >= limit else { return true }
        refuse(
            Refusal(
                .quotaExceeded,
                "the connection reads or follows \(limit) things already: end some first"),
            type: type.rawValue, number: number, on: id, effects: &effects)
        return false
    }

    /// Answers what waited for its mark, everything that was acknowledged before it was asked being
    /// applied here, as far as connections take it and `left` bytes go.
    mutating func answerReads(
        _ left: inout Int, machine: Coordinator, now: Instant, effects: inout [ServiceEffect]
    ) {
        for _ in 0..<reads.line.count {
            guard left > 0, let place = reads.line.next() else { return }
            guard let question = reads.question(at: place) else { continue }
            guard connections[place.id.connection]?.takesMore == true else {
                reads.line.park(place)
                continue
            }
            reads.remove(place.id)
            switch question {
            case .read(let query):
                left -= answer(query, place.id, machine: machine, now: now, effects: &effects)
            case .watch(let watch):
                guard mayWatch(place.id, .watchKeys, effects: &effects) else { continue }
                begin(watch, place.id, machine: machine)
            case .follow(let follow):
                guard mayWatch(place.id, .followGroup, effects: &effects) else { continue }
                begin(follow, place.id, machine: machine)
            case .objects(let query):
                left -= answer(query, place.id, machine: machine, now: now, effects: &effects)
            }
        }
    }
}
