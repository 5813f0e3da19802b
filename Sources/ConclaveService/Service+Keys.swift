import ConclaveBase
import ConclaveCoordination
import ConclaveWire

/// Questions about keys: from the own copy, or once that is known to be new enough.
extension Service {
    /// In bytes sent.
    private static let costOfRefusal = 64

    mutating func askForKeys(
        _ type: ClientFrameType, _ frame: FrameBuffer.Frame, from id: ConnectionID,
        effects: inout [ServiceEffect]
    ) throws(WireError) {
        var reader = ByteReader(frame.body)
        let number = frame.header.number
        let question: KeyReads.Question
        if type == .watchKeys {
            question = .watch(try KeyWatch(from: &reader))
        } else {
            question = .read(try KeyQuery(from: &reader))
        }
        try reader.finish()
        let read = KeyReads.ID(connection: id, number: number)
        guard hasRoom(for: question, of: id, type, number, effects: &effects) else { return }
        if case .read(let query) = question,
            query.isLocal || settings.plant == .readAnsweredEarly
        {
            return keyReads.addReady(question, read)
        }
        // Reads share a mark as long as it is not on its way.
        if let mark = keyReads.add(question, read) {
            propose(.mark(member: settings.own, number: mark))
        }
    }

    /// Refuses what would be too much for one connection, or one user.
    private mutating func hasRoom(
        for question: KeyReads.Question, of id: ConnectionID, _ type: ClientFrameType,
        _ number: UInt64, effects: inout [ServiceEffect]
    ) -> Bool {
        let message: String
        let uid = connections[id]?.process.uid ?? 0
        if keyReads.count(of: id) + keyWatchers.count(of: id) + subscriptions.count(of: id)
            >= Self.subscriptionsPerConnection
        {
            message =
                "the connection reads or follows \(Self.subscriptionsPerConnection) things already"
        } else if case .watch = question,
            keyWatchers.count(ofUID: uid) >= settings.maximumWatchesPerUID
        {
            message =
                "user \(uid) watches keys \(settings.maximumWatchesPerUID) times on this host already"
        } else {
            return true
        }
        refuse(
            Refusal(.quotaExceeded, message), type: type.rawValue, number: number, on: id,
            effects: &effects)
        return false
    }

    /// Answers what waited for its mark, everything that was acknowledged before it was asked being
    /// applied here, as far as connections take it and `left` bytes go.
    mutating func answerReads(
        _ left: inout Int, machine: Coordinator, now: Instant, effects: inout [ServiceEffect]
    ) {
        guard !keyReads.line.isEmpty else { return }
        let line = keyReads.line.takeAll()
        for (index, place) in line.enumerated() {
            guard left > 0 else { return keyReads.line.append(line[index...]) }
            guard let question = keyReads.question(at: place) else { continue }
            guard connections[place.id.connection]?.backlog == 0 else {
                keyReads.line.park(place)
                continue
            }
            keyReads.remove(place.id)
            switch question {
            case .read(let query):
                left -= answer(query, place.id, machine: machine, now: now, effects: &effects)
            case .watch(let watch): begin(watch, place.id, machine: machine)
            }
        }
    }

    /// Returns how many bytes the answer has.
    private mutating func answer(
        _ query: KeyQuery, _ read: KeyReads.ID, machine: Coordinator, now: Instant,
        effects: inout [ServiceEffect]
    ) -> Int {
        let version: Version
        do throws(KeyHistoryFault) {
            version = try machine.version(of: query.moment)
        } catch {
            refuse(
                error.refusal, type: ClientFrameType.readKeys.rawValue, number: read.number,
                on: read.connection, effects: &effects)
            return Self.costOfRefusal
        }
        var report = Self.report(query, at: version, machine: machine)
        report.age = query.isLocal ? lastConfirmed.map { now.since($0) } : .zero
        if query.namesOnly {
            for index in report.entries.indices { report.entries[index].value = [] }
        }
        var writer = ByteWriter()
        report.encode(into: &writer)
        answer(
            .readKeys, number: read.number, to: read.connection, writer.bytes,
            effects: &effects)
        // What is not told was read as well.
        return max(writer.bytes.count, query.namesOnly ? ClientLimits.keyPage / 4 : 0)
    }

    private static func report(
        _ query: KeyQuery, at version: Version, machine: Coordinator
    ) -> KeyReport {
        switch query.selection {
        case .key(let key):
            let entry = machine.key(key, at: version)
            return KeyReport(version: version, age: nil, entries: entry.map { [$0] } ?? [])
        case .prefix(let prefix, let after, let limit):
            let count = min(Int(limit), ClientLimits.listedKeys)
            let budget = KeyBudget(count: max(1, count), byteCount: ClientLimits.keyPage)
            let page = machine.keys(prefix: prefix, after: after, at: version, budget)
            return KeyReport(
                version: version, age: nil, entries: page.entries, next: page.next)
        }
    }
}

extension KeyHistoryFault {
    fileprivate var refusal: Refusal {
        switch self {
        case .gone(let floor):
            Refusal(.historyGone, "the history of keys is kept from version \(floor) on")
        case .notReached(let version):
            Refusal(.invalid, "that is still to come: the version is \(version) now")
        }
    }
}
