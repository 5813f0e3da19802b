import ConclaveBase
import ConclaveCoordination
import ConclaveWire

/// Questions about keys: from the own copy, or once that is known to be new enough.
extension Service {
    mutating func askForKeys(
        _ type: ClientFrameType, _ frame: FrameBuffer.Frame, from id: ConnectionID,
        machine: Coordinator, now: Instant, effects: inout [ServiceEffect]
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
        let read = KeyReads.Read(connection: id, number: number, question: question)
        if case .read(let query) = question,
            query.isLocal || settings.plant == .readAnsweredEarly
        {
            let age = query.isLocal ? lastConfirmed.map { now.since($0) } : .zero
            answer(query, read, age: age, machine: machine, effects: &effects)
            return
        }
        wait(read, type, effects: &effects)
    }

    /// Reads share a mark as long as it is not on its way.
    private mutating func wait(
        _ read: KeyReads.Read, _ type: ClientFrameType, effects: inout [ServiceEffect]
    ) {
        let id = read.connection
        let limit = Self.subscriptionsPerConnection
        guard
            keyReads.count(of: id) + keyWatchers.count(of: id) + subscriptions.count(of: id) < limit
        else {
            let message = "the connection reads or follows \(limit) things already"
            return refuse(
                Refusal(.quotaExceeded, message), type: type.rawValue, number: read.number, on: id,
                effects: &effects)
        }
        if let mark = keyReads.add(read) { propose(.mark(member: settings.own, number: mark)) }
    }

    /// Answers what waited for its mark, everything that was acknowledged before it was asked being
    /// applied here, as far as connections take it and `left` bytes go. Returns whether more can be
    /// answered at once.
    mutating func answerReads(
        _ left: inout Int, machine: Coordinator, effects: inout [ServiceEffect]
    ) -> Bool {
        var kept: [KeyReads.Read] = []
        var isMore = false
        for read in keyReads.takeReady() {
            guard connections[read.connection]?.backlog == 0 else {
                kept.append(read)
                continue
            }
            guard left > 0 else {
                isMore = true
                kept.append(read)
                continue
            }
            keyReads.answered(read)
            switch read.question {
            case .read(let query):
                left -= answer(query, read, age: .zero, machine: machine, effects: &effects)
            case .watch(let watch): begin(watch, read, machine: machine)
            }
        }
        keyReads.keep(kept)
        return isMore
    }

    /// Returns how many bytes the answer has.
    @discardableResult
    private mutating func answer(
        _ query: KeyQuery, _ read: KeyReads.Read, age: Interval?, machine: Coordinator,
        effects: inout [ServiceEffect]
    ) -> Int {
        let version: Version
        do throws(KeyHistoryFault) {
            version = try machine.version(of: query.moment)
        } catch {
            refuse(
                error.refusal, type: ClientFrameType.readKeys.rawValue, number: read.number,
                on: read.connection, effects: &effects)
            return 0
        }
        var report = Self.report(query, at: version, machine: machine)
        report.age = age
        if query.namesOnly {
            for index in report.entries.indices { report.entries[index].value = [] }
        }
        var writer = ByteWriter()
        report.encode(into: &writer)
        answer(
            .readKeys, number: read.number, to: read.connection, writer.bytes,
            effects: &effects)
        return writer.bytes.count
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
