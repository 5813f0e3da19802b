import Conclave

extension ConfigurationBackup {
    var json: JSON {
        .object([
            "version": .unsigned(version.number), "prefix": .string(prefix),
            "keys": .count(entries.count),
        ])
    }

    var text: String { "\(entries.count) keys as of version \(version)" }
}

extension ConfigurationDifference {
    /// One for each key that would be changed.
    func lines(deletingOthers: Bool) -> [String] {
        missing.map { "+ \($0.key.shown)" } + changed.map { "~ \($0.entry.key.shown)" }
            + (deletingOthers ? others.map { "- \($0.key.shown)" } : [])
    }

    func refusal(_ first: Changed) -> String {
        "\(changed.count) keys are there with other values, such as \(first.entry.key.shown): nothing "
            + "was changed (--dry-run shows all, --overwrite gives them those of the backup)"
    }

    func json(changed count: Int) -> JSON {
        .object(["changed": .count(count), "same": .count(sameCount)])
    }

    func text(changed count: Int, of backup: ConfigurationBackup) -> String {
        "\(count) keys changed, \(sameCount) were as in the backup of version \(backup.version)"
    }
}
