import Conclave

extension ConfigurationBackup {
    var json: JSON {
        .object([
            "version": .unsigned(version.number), "prefix": .string(prefix),
            "keys": .count(entries.count),
        ])
    }

    var text: String { "keys: \(entries.count), as of version \(version)" }
}

extension ConfigurationDifference {
    /// What would be done to a key.
    struct Change {
        var sign: String
        var key: String

        var json: JSON { .object(["change": .string(sign), "key": .string(key)]) }

        var text: String { "\(sign) \(key.shown)" }
    }

    func changes(deletingOthers: Bool) -> [Change] {
        missing.map { Change(sign: "+", key: $0.key) }
            + changed.map { Change(sign: "~", key: $0.entry.key) }
            + (deletingOthers ? others.map { Change(sign: "-", key: $0.key) } : [])
    }

    func refusal(_ first: Changed) -> String {
        "keys with other values than in the backup: \(changed.count), such as "
            + "\(first.entry.key.shown); nothing was changed (--dry-run shows all, --overwrite gives them "
            + "those of the backup)"
    }

    func json(changed count: Int) -> JSON {
        .object(["changed": .count(count), "same": .count(sameCount)])
    }

    func text(changed count: Int) -> String {
        "keys changed: \(count), the same as in the backup: \(sameCount)"
    }
}
