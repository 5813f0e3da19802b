import ConclaveBase
import ConclaveReplication
import Logging

extension Settings {
    /// The largest configuration that is read.
    package static let maximumFileByteCount = 1 << 20

    /// Reads and validates a configuration. All its faults are found in one go.
    package static func read(
        _ bytes: [UInt8], file: String
    ) throws(SettingsFaults) -> Settings {
        var reader = SettingsReader()
        reader.read(bytes)
        guard reader.faults.isEmpty else {
            let sorted = reader.faults.sorted { $0.position < $1.position }
            throw SettingsFaults(
                sorted.map {
                    SettingsFault(file: file, position: $0.position, message: $0.message)
                })
        }
        return reader.settings
    }
}

/// Goes over the file's tree, takes what it understands and notes what it does not.
private struct SettingsReader {
    var settings = Settings()
    var faults: [YAMLNode.Fault] = []
    private var positions: [SettingKey: TextPosition] = [:]
    /// Keys whose value could not be taken: nothing more is said about them.
    private var unreadable: Set<SettingKey> = []

    mutating func read(_ bytes: [UInt8]) {
        guard String(validating: bytes, as: UTF8.self) != nil else {
            return object(.start, "the file is not UTF-8")
        }
        do throws(YAMLNode.Fault) {
            guard let root = try YAMLNode.read(bytes) else {
                return object(.start, "the file is empty")
            }
            readMap(root, prefix: "")
        } catch {
            return faults.append(error)
        }
        requireKeys()
        if settings.minimumMembers == 0, positions[.minimumMembers] == nil {
            settings.minimumMembers = settings.members.count / 2 + 1
            settings.followsMajority = true
        }
        for objection in settings.objections() { report(objection) }
    }

    private mutating func report(_ objection: Settings.Objection) {
        guard !objection.keys.contains(where: unreadable.contains) else { return }
        let given = objection.keys.first { positions[$0] != nil }
        object(given.flatMap { positions[$0] } ?? .start, objection.message)
    }

    private mutating func requireKeys() {
        for key in [SettingKey.node, .members] where positions[key] == nil {
            object(.start, "`\(key.rawValue)` is missing")
        }
    }

    private mutating func object(_ position: TextPosition, _ message: String) {
        faults.append(YAMLNode.Fault(position: position, message: message))
    }

    /// `prefix` is the path so far, with a point at its end.
    private mutating func readMap(_ node: YAMLNode, prefix: String) {
        guard case .map(let entries) = node.content else {
            let what = prefix.isEmpty ? "the file" : "`\(prefix.dropLast())`"
            return object(node.position, "\(what) must be a map of keys to values")
        }
        var seen: Set<String> = []
        for entry in entries {
            guard case .text(let name) = entry.key.content else {
                object(entry.key.position, "a key must be a word")
                continue
            }
            let path = prefix + name
            guard seen.insert(name).inserted else {
                object(entry.key.position, "`\(path)` is given twice")
                continue
            }
            readEntry(path, at: entry.key.position, entry.value)
        }
    }

    private mutating func readEntry(_ path: String, at position: TextPosition, _ value: YAMLNode) {
        if let key = SettingKey(rawValue: path) {
            positions[key] = value.position
            if let message = assign(value, to: key) {
                unreadable.insert(key)
                object(value.position, message)
            }
        } else if SettingKey.allCases.contains(where: { $0.rawValue.hasPrefix(path + ".") }) {
            readMap(value, prefix: path + ".")
        } else {
            object(position, "unknown key `\(path)`")
        }
    }

    /// Returns what is wrong with the value, if anything is.
    private mutating func assign(_ value: YAMLNode, to key: SettingKey) -> String? {
        if case .members = key.form {
            readMembers(value)
            return nil
        }
        guard case .text(let text) = value.content else {
            return "`\(key.rawValue)` must be a single value"
        }
        func expected(_ what: String) -> String {
            "`\(key.rawValue)` must be \(what), not \"\(text)\""
        }
        switch key.form {
        case .text(let path): settings[keyPath: path] = text
        case .count(let path, _):
            guard let count = Int(text) else { return expected("a whole number") }
            settings[keyPath: path] = count
        case .size(let path, _):
            guard let count = Quantity.byteCount(text) else {
                return expected("a size with a unit, such as 8KiB")
            }
            settings[keyPath: path] = count
        case .interval(let path, _):
            guard let interval = Quantity.interval(text) else {
                return expected("a length of time with a unit, such as 100ms")
            }
            settings[keyPath: path] = interval
        case .flag(let path):
            guard let flag = Bool(text) else { return expected("true or false") }
            settings[keyPath: path] = flag
        case .node:
            guard let number = UInt32(text), number > 0 else {
                return expected("a number from 1 on")
            }
            settings.node = NodeID(number)
        case .durability:
            switch text {
            case "disk": settings.durability = .disk
            case "memory": settings.durability = .memory
            default: return expected("disk or memory")
            }
        case .logLevel:
            guard let level = Logger.Level(rawValue: text) else {
                let levels = Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")
                return expected("one of \(levels)")
            }
            settings.logLevel = level
        case .members: break
        }
        return nil
    }

    private mutating func readMembers(_ value: YAMLNode) {
        guard case .list(let entries) = value.content, !entries.isEmpty else {
            unreadable.insert(.members)
            return object(
                value.position, "`members` must be a list of { id: 1, address: \"10.0.0.1:7400\" }")
        }
        for entry in entries {
            if let peer = readMember(entry) {
                settings.members.append(peer)
            } else {
                unreadable.insert(.members)
            }
        }
    }

    private mutating func readMember(_ node: YAMLNode) -> Settings.Peer? {
        guard case .map(let entries) = node.content else {
            object(node.position, "a member must be { id: 1, address: \"10.0.0.1:7400\" }")
            return nil
        }
        let before = faults.count
        var id: NodeID?
        var address: PeerAddress?
        for (key, value) in entries {
            switch (key.content, value.content) {
            case (.text("id"), .text(let text)):
                id = UInt32(text).flatMap { $0 > 0 ? NodeID($0) : nil }
                if id == nil {
                    object(value.position, "`id` must be a number from 1 on, not \"\(text)\"")
                }
            case (.text("address"), .text(let text)):
                address = PeerAddress(text)
                if address == nil {
                    object(
                        value.position,
                        "`address` must be HOST:PORT, such as 10.0.0.1:7400, "
                            + "\(MemberList.maximumAddressByteCount) bytes at most, not \"\(text)\""
                    )
                }
            case (.text(let name), _):
                object(key.position, "a member has `id` and `address`, not `\(name)`")
            default: object(key.position, "a key must be a word")
            }
        }
        guard faults.count == before else { return nil }
        guard let id, let address else {
            object(node.position, "a member needs `id` and `address`")
            return nil
        }
        return Settings.Peer(node: id, address: address)
    }
}
