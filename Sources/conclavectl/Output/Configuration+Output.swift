import Conclave
import FoundationEssentials

extension ConfigurationResult {
    var json: JSON {
        .object(["version": .unsigned(version.number), "changed": .count(changedCount)])
    }
}

extension ConfigurationStamp {
    var members: [JSON.Member] {
        let members: KeyValuePairs<String, JSON> = [
            "version": .unsigned(modified.number), "created": .unsigned(created.number),
            "puts": .unsigned(putCount), "session": .optional(session, { .unsigned($0.number) }),
        ]
        return members.map { JSON.Member(name: $0.key, value: $0.value) }
    }
}

extension ConfigurationConflict {
    var json: JSON {
        .object([
            "index": .count(index), "key": .string(key),
            "found": .optional(found, { .object($0.members) }),
            "version": .unsigned(version.number),
        ])
    }
}

extension ConfigurationEntry {
    func members(withValue: Bool = true) -> [JSON.Member] {
        [JSON.Member(name: "key", value: .string(key))]
            + (withValue ? valueMembers : []) + stamp.members + [
                JSON.Member(name: "time", value: .string(time.text))
            ]
    }

    /// What is no UTF-8 cannot stand in JSON as it is.
    private var valueMembers: [JSON.Member] {
        let asText = JSON.Member(name: "value", value: .string(text))
        guard String(validating: value, as: UTF8.self) == nil else { return [asText] }
        let base64 = Data(value).base64EncodedString()
        return [asText, JSON.Member(name: "valueBase64", value: .string(base64))]
    }

    func json(withValue: Bool = true) -> JSON { .object(members(withValue: withValue)) }
}

extension ConfigurationReading {
    func json(_ entry: ConfigurationEntry) -> JSON { .object(entry.members() + place) }

    /// Of which state it is.
    var place: [JSON.Member] {
        [
            JSON.Member(name: "readAt", value: .unsigned(version.number)),
            JSON.Member(
                name: "ageMilliseconds", value: .optional(age, { .integer($0.milliseconds) })),
        ]
    }
}

extension ConfigurationListing {
    var table: String {
        var table = Table("KEY", "VERSION", "VALUE")
        for entry in entries {
            table.add(entry.key, "\(entry.version)", entry.text.onOneLine.shown)
        }
        return table.text
    }
}

extension ConfigurationUpdate {
    var json: JSON {
        switch kind {
        case .state(let isResync):
            return .object([
                "event": .string("state"), "resync": .bool(isResync),
                "version": .optional(version, { .unsigned($0.number) }),
                "keys": .array(entries.map { $0.json() }),
            ])
        case .change: return change?.json(resumeFrom: version) ?? .null
        case .doubtful(let reason):
            return .object(["event": .string("doubtful"), "reason": .string(reason)])
        case .assured: return .object(["event": .string("assured")])
        }
    }

    var text: String {
        switch kind {
        case .state(let isResync):
            let head = "\(isResync ? "resync: " : "")\(entries.count) keys at version "
            return ([head + (version.map { "\($0)" } ?? "")] + entries.map(\.line))
                .joined(separator: "\n")
        case .change: return change?.line ?? ""
        case .doubtful(let reason): return "doubtful: \(reason.shown)"
        case .assured: return "assured"
        }
    }
}

extension ConfigurationEntry {
    fileprivate var line: String {
        "  \(version)  \(key.shown) = \(text.onOneLine.shown)"
    }
}

extension ConfigurationChange {
    fileprivate func json(resumeFrom whole: Version?) -> JSON {
        let place = JSON.Member(
            name: "resumeFrom", value: .optional(whole, { .unsigned($0.number) }))
        if let entry {
            let kind = JSON.Member(name: "event", value: .string("put"))
            return .object([kind] + entry.members() + [place])
        }
        let members: KeyValuePairs<String, JSON> = [
            "event": .string(removal?.description ?? "deleted"), "key": .string(key),
            "version": .unsigned(version.number), "time": .string(time.text),
        ]
        return .object(members.map { JSON.Member(name: $0.key, value: $0.value) } + [place])
    }

    fileprivate var line: String {
        if let entry {
            return "put \(version)  \(key.shown) = \(entry.text.onOneLine.shown)"
        }
        return "\(removal?.description ?? "deleted") \(version)  \(key.shown)"
    }
}

extension Failure {
    /// There is no such key.
    static func tell(absence key: String, _ reading: ConfigurationReading, json: Bool) {
        let sentence = "there is no key \(key.shown) at version \(reading.version)"
        if json {
            let members = [
                JSON.Member(name: "error", value: .string("absent")),
                JSON.Member(name: "message", value: .string(sentence)),
                JSON.Member(name: "key", value: .string(key)),
            ]
            Output.standardError(JSON.object(members + reading.place).description)
        } else {
            Output.error(sentence)
        }
    }
}
