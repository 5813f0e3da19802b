import ConclaveBase
import ConclaveWire

/// A history as a file: one JSON object a line, each of which stands alone. Times are nanoseconds,
/// bytes are hexadecimal.
///
///     {"at":12,"process":4,"event":"opened","session":7}
///     {"at":15,"process":4,"event":"called","call":1,"do":"acquire","name":"a","mode":"exclusive"}
///     {"at":19,"process":4,"event":"answered","call":1,"answer":"granted","token":9,"after":"none"}
extension HistoryEvent {
    /// Without the end of the line.
    package var line: String {
        var line = HistoryLine()
        line.add("at", .integer(nanoseconds))
        line.add("process", .integer(process))
        if call > 0 { line.add("call", .integer(call)) }
        switch kind {
        case .opened(let session):
            line.add("event", .text("opened"))
            line.add("session", .integer(session.number))
        case .called(let call):
            line.add("event", .text("called"))
            call.write(to: &line)
        case .gaveUp: line.add("event", .text("gaveUp"))
        case .answered(let answer):
            line.add("event", .text("answered"))
            answer.write(to: &line)
        case .goodbye: line.add("event", .text("goodbye"))
        case .closed: line.add("event", .text("closed"))
        case .lost(let since):
            line.add("event", .text("lost"))
            line.add("since", .integer(since))
        case .died(let since):
            line.add("event", .text("died"))
            if let since { line.add("since", .integer(since)) }
        case .observed(let observation):
            line.add("event", .text("observed"))
            observation.write(to: &line)
        case .read(let read):
            line.add("event", .text("read"))
            line.add("since", .integer(read.asked))
            line.add("query", .text(Hexadecimal.text(of: Self.bytes(read.query.encode))))
            line.add("report", .text(Hexadecimal.text(of: Self.bytes(read.report.encode))))
        case .watched(let watched):
            line.add("event", .text("watched"))
            line.add("watch", .text(Hexadecimal.text(of: Self.bytes(watched.watch.encode))))
            line.add("news", .text(Hexadecimal.text(of: Self.bytes(watched.news.encode))))
        }
        return line.text
    }

    package init(line text: some StringProtocol) throws(HistoryError) {
        let line = try HistoryLine(reading: text)
        var fields = HistoryFields(line)
        nanoseconds = try fields.integer("at")
        process = try fields.integer("process")
        call = try fields.optionalInteger("call") ?? 0
        let event = try fields.text("event")
        switch event {
        case "opened": kind = .opened(SessionID(try fields.integer("session")))
        case "called": kind = .called(try HistoryCall(&fields))
        case "gaveUp": kind = .gaveUp
        case "answered": kind = .answered(try HistoryAnswer(&fields))
        case "goodbye": kind = .goodbye
        case "closed": kind = .closed
        case "lost": kind = .lost(since: try fields.integer("since"))
        case "died": kind = .died(since: try fields.optionalInteger("since"))
        case "observed": kind = .observed(try HistoryObservation(&fields))
        case "read":
            kind = .read(
                HistoryRead(
                    asked: try fields.integer("since"),
                    query: try fields.decoded("query", KeyQuery.init(from:)),
                    report: try fields.decoded("report", KeyReport.init(from:))))
        case "watched":
            kind = .watched(
                HistoryWatch(
                    watch: try fields.decoded("watch", KeyWatch.init(from:)),
                    news: try fields.decoded("news", KeyNews.init(from:))))
        default: throw .invalid(key: "event", value: event)
        }
        try fields.finish()
    }

    /// As it is on the wire.
    fileprivate static func bytes(_ encode: (inout ByteWriter) -> Void) -> [UInt8] {
        var writer = ByteWriter()
        encode(&writer)
        return writer.bytes
    }
}

extension HistoryFields {
    /// What is written as it is on the wire.
    fileprivate mutating func decoded<Value>(
        _ key: String, _ decode: (inout ByteReader) throws(WireError) -> Value
    ) throws(HistoryError) -> Value {
        let bytes = try bytes(key)
        do throws(WireError) {
            var reader = ByteReader(bytes)
            let value = try decode(&reader)
            try reader.finish()
            return value
        } catch {
            throw .invalid(key: key, value: error.description)
        }
    }
}

extension HistoryCall {
    fileprivate func write(to line: inout HistoryLine) {
        switch action {
        case .acquire(let mode, let isTry, let lockDelay, let isOfSet):
            line.add("do", .text("acquire"))
            line.add("name", .text(name.text))
            mode.write(to: &line)
            if isTry { line.add("try", .flag(true)) }
            if lockDelay != .zero {
                line.add("lockDelay", .integer(UInt64(clamping: lockDelay.nanoseconds)))
            }
            if isOfSet { line.add("set", .flag(true)) }
        case .release(let token):
            line.add("do", .text("release"))
            line.add("name", .text(name.text))
            line.add("token", .integer(token.number))
        case .downgrade(let token):
            line.add("do", .text("downgrade"))
            line.add("name", .text(name.text))
            line.add("token", .integer(token.number))
        case .upgrade(let token):
            line.add("do", .text("upgrade"))
            line.add("name", .text(name.text))
            line.add("token", .integer(token.number))
        case .limit(let limit):
            line.add("do", .text("limit"))
            line.add("name", .text(name.text))
            line.add("limit", .integer(UInt64(limit)))
        case .campaign(let value, let places):
            line.add("do", .text("campaign"))
            line.add("name", .text(name.text))
            line.add("value", .text(Hexadecimal.text(of: value)))
            if let places { line.add("places", .integer(UInt64(places))) }
        case .announce(let token, let value):
            line.add("do", .text("announce"))
            line.add("name", .text(name.text))
            line.add("token", .integer(token.number))
            line.add("value", .text(Hexadecimal.text(of: value)))
        case .resign(let token):
            line.add("do", .text("resign"))
            line.add("name", .text(name.text))
            line.add("token", .integer(token.number))
        case .handOver(let token, let standby):
            line.add("do", .text("handOver"))
            line.add("name", .text(name.text))
            line.add("token", .integer(token.number))
            line.add("session", .integer(standby.number))
        case .arrive(let parties, let rank, let generation, let payload):
            line.add("do", .text("arrive"))
            line.add("name", .text(name.text))
            line.add("parties", .integer(UInt64(parties)))
            if let rank { line.add("rank", .integer(UInt64(rank))) }
            if let generation { line.add("generation", .integer(generation)) }
            line.add("payload", .text(Hexadecimal.text(of: payload)))
        case .transact(let transaction):
            line.add("do", .text("transact"))
            line.add("name", .text(name.text))
            let bytes = HistoryEvent.bytes(transaction.encode)
            line.add("request", .text(Hexadecimal.text(of: bytes)))
        }
    }

    fileprivate init(_ fields: inout HistoryFields) throws(HistoryError) {
        name = try fields.name("name")
        let action = try fields.text("do")
        switch action {
        case "acquire":
            let mode = try LockMode(&fields)
            let isTry = try fields.flag("try")
            let delay = try fields.optionalInteger("lockDelay") ?? 0
            self.action = .acquire(
                mode, isTry: isTry, lockDelay: Interval(nanoseconds: Int64(clamping: delay)),
                isOfSet: try fields.flag("set"))
        case "release": self.action = .release(try fields.token("token"))
        case "downgrade": self.action = .downgrade(try fields.token("token"))
        case "upgrade": self.action = .upgrade(try fields.token("token"))
        case "limit": self.action = .limit(try fields.small("limit"))
        case "campaign":
            self.action = .campaign(
                value: try fields.bytes("value"), places: try fields.optionalSmall("places"))
        case "announce":
            self.action = .announce(try fields.token("token"), value: try fields.bytes("value"))
        case "resign": self.action = .resign(try fields.token("token"))
        case "handOver":
            self.action = .handOver(
                try fields.token("token"), to: SessionID(try fields.integer("session")))
        case "arrive":
            self.action = .arrive(
                parties: try fields.small("parties"), rank: try fields.optionalSmall("rank"),
                generation: try fields.optionalInteger("generation"),
                payload: try fields.bytes("payload"))
        case "transact":
            self.action = .transact(try fields.decoded("request", KeyTransaction.init(from:)))
        default: throw .invalid(key: "do", value: action)
        }
    }
}

extension LockMode {
    fileprivate func write(to line: inout HistoryLine) {
        switch self {
        case .exclusive: line.add("mode", .text("exclusive"))
        case .shared: line.add("mode", .text("shared"))
        case .permits(let count, let limit):
            line.add("mode", .text("permits"))
            line.add("permits", .integer(UInt64(count)))
            if let limit { line.add("limit", .integer(UInt64(limit))) }
        }
    }

    fileprivate init(_ fields: inout HistoryFields) throws(HistoryError) {
        let mode = try fields.text("mode")
        switch mode {
        case "exclusive": self = .exclusive
        case "shared": self = .shared
        case "permits":
            self = .permits(
                try fields.small("permits"), of: try fields.optionalSmall("limit"))
        default: throw .invalid(key: "mode", value: mode)
        }
    }
}

extension HistoryAnswer {
    fileprivate func write(to line: inout HistoryLine) {
        line.add("answer", .text(word))
        switch self {
        case .granted(let token, let end):
            line.add("token", .integer(token.number))
            line.add("after", .text("\(end)"))
        case .busy(let holder):
            if let holder { line.add("holder", .integer(holder.number)) }
        case .elected(let token, let place, let end, let value):
            line.add("token", .integer(token.number))
            if place > 0 { line.add("place", .integer(UInt64(place))) }
            line.add("after", .text("\(end)"))
            line.add("previousValue", .text(Hexadecimal.text(of: value)))
        case .tripped(let generation, let rank, let payloads):
            line.add("generation", .integer(generation))
            line.add("rank", .integer(UInt64(rank)))
            line.add("payloads", .list(payloads.map(Hexadecimal.text)))
        case .broken(let generation, let reason):
            line.add("generation", .integer(generation))
            line.add("reason", .text("\(reason)"))
        case .refused(let code): line.add("code", .text("\(code)"))
        case .written(let written):
            line.add("reply", .text(Hexadecimal.text(of: HistoryEvent.bytes(written.encode))))
        case .mismatched(let mismatch):
            line.add("reply", .text(Hexadecimal.text(of: HistoryEvent.bytes(mismatch.encode))))
        case .done, .cancelled, .unknown: break
        }
    }

    private var word: String {
        switch self {
        case .granted: "granted"
        case .busy: "busy"
        case .elected: "elected"
        case .done: "done"
        case .tripped: "tripped"
        case .broken: "broken"
        case .cancelled: "cancelled"
        case .unknown: "unknown"
        case .refused: "refused"
        case .written: "written"
        case .mismatched: "mismatched"
        }
    }

    fileprivate init(_ fields: inout HistoryFields) throws(HistoryError) {
        let answer = try fields.text("answer")
        switch answer {
        case "granted":
            self = .granted(try fields.token("token"), after: try fields.choice("after"))
        case "busy": self = .busy(holder: try fields.optionalInteger("holder").map(SessionID.init))
        case "elected":
            self = .elected(
                try fields.token("token"), place: try fields.optionalSmall("place") ?? 0,
                after: try fields.choice("after"), previousValue: try fields.bytes("previousValue"))
        case "done": self = .done
        case "tripped":
            self = .tripped(
                generation: try fields.integer("generation"), rank: try fields.small("rank"),
                payloads: try fields.byteLists("payloads"))
        case "broken":
            self = .broken(
                generation: try fields.integer("generation"), try fields.choice("reason"))
        case "cancelled": self = .cancelled
        case "unknown": self = .unknown
        case "refused": self = .refused(try fields.choice("code"))
        case "written": self = .written(try fields.decoded("reply", KeysWritten.init(from:)))
        case "mismatched":
            self = .mismatched(try fields.decoded("reply", KeyMismatch.init(from:)))
        default: throw .invalid(key: "answer", value: answer)
        }
    }
}

extension HistoryObservation {
    fileprivate func write(to line: inout HistoryLine) {
        line.add("name", .text(slot.text))
        line.add("version", .integer(version.number))
        if let token {
            line.add("token", .integer(token.number))
            line.add("value", .text(Hexadecimal.text(of: value)))
        }
    }

    fileprivate init(_ fields: inout HistoryFields) throws(HistoryError) {
        slot = try fields.name("name")
        version = Version(try fields.integer("version"))
        token = try fields.optionalInteger("token").map(FencingToken.init)
        value = token == nil ? [] : try fields.bytes("value")
    }
}
