import ConclaveNode

/// Target `settings`: the configuration file. What is taken is within all bounds: written again in
/// full, and read again, it is taken as the same.
enum ConfigurationFile {
    static func run(_ bytes: [UInt8]) {
        do {
            let settings = try Settings.read(bytes, file: "conclave.yaml")
            _ = settings.configuredNodes
            demandSame(settings)
        } catch {
            demand(!error.faults.isEmpty, "a configuration is refused without a reason")
            for fault in error.faults {
                demand(
                    fault.position.line >= 1 && fault.position.column >= 1,
                    "a fault is nowhere")
                _ = fault.description
            }
        }
    }

    private static func demandSame(_ settings: Settings) {
        let text = text(of: settings)
        do {
            let again = try Settings.read(Array(text.utf8), file: "again.yaml")
            let different = settings.differences(from: again)
            demand(different.isEmpty, "\(different) differ when they are read again:\n\(text)")
        } catch {
            broken("what was taken is refused: \(error.faults)\n\(text)")
        }
    }

    /// All keys, a line each for those of one group.
    private static func text(of settings: Settings) -> String {
        var groups: [String: [String]] = [:]
        var lines: [String] = []
        for key in SettingKey.allCases {
            let path = key.rawValue.split(separator: ".")
            let entry = "\(path[path.count - 1]): \(value(of: key, in: settings))"
            if path.count > 1 {
                groups[String(path[0]), default: []].append(entry)
            } else {
                lines.append(entry)
            }
        }
        for (name, entries) in groups.sorted(by: { $0.key < $1.key }) {
            lines.append("\(name): { \(entries.joined(separator: ", ")) }")
        }
        return lines.joined(separator: "\n")
    }

    private static func value(of key: SettingKey, in settings: Settings) -> String {
        guard key == .members else { return quoted(settings.text(of: key)) }
        let members = settings.members.map {
            "{ id: \($0.node), address: \(quoted($0.address.description)) }"
        }
        return "[\(members.joined(separator: ", "))]"
    }

    private static func quoted(_ text: String) -> String {
        let escaped = text.unicodeScalars.map { scalar in
            let digits = String(scalar.value, radix: 16)
            let zeros = String(repeating: "0", count: 8 - digits.count)
            return scalar.value > 0x20 && scalar.value < 0x7F && scalar != "\"" && scalar != "\\"
                ? String(scalar) : "\\U\(zeros)\(digits)"
        }
        return "\"\(escaped.joined())\""
    }
}
