import ConclaveBase
import ConclaveCoordination
import ConclaveWire

/// The watchers of keys that have been told everything, by what they watch.
struct IdleWatchers {
    typealias ID = Subscriptions.Subscriber

    /// What a look at a set costs, and a watcher that is found, in bytes sent.
    private static let costOfLook = 16
    private static let costOfWatcher = 64

    private var byKey: [ObjectName: Set<ID>] = [:]
    /// By the bytes of the prefix: what only looks alike is not the same.
    private var byPrefix: [[UInt8]: Set<ID>] = [:]
    /// How many prefixes there are of each length in bytes.
    private var prefixLengths: [Int: Int] = [:]

    var isEmpty: Bool { byKey.isEmpty && byPrefix.isEmpty }

    mutating func insert(_ id: ID, _ selector: KeySelector) {
        switch selector {
        case .key(let key): byKey[key, default: []].insert(id)
        case .prefix(let prefix):
            let bytes = Array(prefix.utf8)
            if byPrefix[bytes] == nil { prefixLengths[bytes.count, default: 0] += 1 }
            byPrefix[bytes, default: []].insert(id)
        }
    }

    mutating func remove(_ id: ID, _ selector: KeySelector) {
        switch selector {
        case .key(let key):
            byKey[key]?.remove(id)
            if byKey[key]?.isEmpty == true { byKey[key] = nil }
        case .prefix(let prefix):
            let bytes = Array(prefix.utf8)
            guard byPrefix[bytes]?.remove(id) != nil, byPrefix[bytes]?.isEmpty == true else {
                return
            }
            byPrefix[bytes] = nil
            let left = (prefixLengths[bytes.count] ?? 1) - 1
            prefixLengths[bytes.count] = left > 0 ? left : nil
        }
    }

    /// Who watches the key, in no order, and what it cost to find them.
    func watchers(of key: ObjectName) -> (found: Set<ID>, cost: Int) {
        var found = byKey[key] ?? []
        let bytes = Array(key.text.utf8)
        for length in prefixLengths.keys where length <= bytes.count {
            if let ids = byPrefix[Array(bytes[..<length])] { found.formUnion(ids) }
        }
        let looks = 1 + prefixLengths.count
        return (found, looks * Self.costOfLook + found.count * Self.costOfWatcher)
    }
}
