import ConclaveBase
import ConclaveWire

/// The leases that somebody has, each once.
struct LeaseTable: Sendable {
    private(set) var rows = Arena<Lease>()
    private var byName = RowIndex()
    private(set) var names = SortedNames()
    private var countsByUID: [UInt32: Int] = [:]

    var count: Int { rows.count }

    @inline(__always)
    func index(of name: ObjectName) -> Int? { byName.find(name, in: rows) }

    func count(ofUID uid: UInt32) -> Int { countsByUID[uid] ?? 0 }

    /// By name.
    var terms: [LeaseTerm] {
        var terms: [LeaseTerm] = []
        terms.reserveCapacity(count)
        var place = names.first(from: "")
        while let found = place {
            terms.append(rows[names[found].index].term)
            place = names.place(after: found)
        }
        return terms
    }

    /// - Precondition: nobody has it.
    mutating func insert(_ lease: Lease) {
        let index = rows.insert(lease)
        byName.insert(lease.name, at: index, of: rows)
        names.insert(lease.name, index: index)
        countsByUID[lease.uid, default: 0] += 1
    }

    mutating func remove(_ index: Int) {
        let lease = rows.remove(index)
        byName.remove(lease.name, at: index)
        names.remove(lease.name)
        let count = count(ofUID: lease.uid) - 1
        countsByUID[lease.uid] = count > 0 ? count : nil
    }

    /// Its time begins anew.
    mutating func renew(_ index: Int, at moment: Moment) {
        rows[index].renewed = moment
    }

    /// Somebody else has it, and its time begins anew.
    mutating func transfer(
        _ index: Int, to holder: String, token: FencingToken, ttl: Interval?, at moment: Moment
    ) {
        renew(index, at: moment)
        rows[index].ttl = ttl ?? rows[index].ttl
        rows[index].holder = holder
        rows[index].token = token
        rows[index].since = moment.time
    }

    /// Takes one of a snapshot.
    mutating func take(_ reader: inout ByteReader, now: Moment) throws(WireError) {
        let lease = try Lease(from: &reader)
        guard index(of: lease.name) == nil else {
            throw .invalid(field: "lease", reason: "\(lease.name) comes twice")
        }
        guard lease.token.number <= lease.renewed.version.number,
            lease.renewed.version <= now.version, lease.since <= lease.renewed.time,
            lease.renewed.time <= now.time
        else { throw .invalid(field: "lease", reason: "\(lease.name) is later than the state") }
        insert(lease)
    }
}
