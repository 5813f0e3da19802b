import ConclaveBase
import ConclaveCoordination
import ConclaveWire

/// Locks or slots as plainly as they can be said: arrays, searched from the front.
struct ReferenceModel {
    struct Holder: Equatable {
        var session: SessionID
        var mode: LockMode
        var token: UInt64
    }

    struct Waiter: Equatable {
        var session: SessionID
        var number: UInt64
        var mode: LockMode
        var priority: Int32 = 0
    }

    struct Object: Equatable {
        var holders: [Holder] = []
        var waiters: [Waiter] = []
        /// A holder that waits to have it alone.
        var upgrade: Waiter?
        /// Of a semaphore.
        var limit: UInt32?

        func isMeant(by mode: LockMode) -> Bool {
            guard let count = mode.permitCount else { return limit == nil }
            return count <= limit ?? 0 && mode.limit ?? limit == limit
        }

        func admits(_ mode: LockMode) -> Bool {
            if let count = mode.permitCount {
                return holders.reduce(count) { $0 + ($1.mode.permitCount ?? 0) } <= limit ?? 0
            }
            return holders.isEmpty || (mode == .shared && holders.allSatisfy { $0.mode == .shared })
        }
    }

    /// Only those that somebody holds or awaits.
    private(set) var objects: [ObjectName: Object] = [:]
    var isSuspended = false

    mutating func acquire(
        _ name: ObjectName, _ waiter: Waiter, isTry: Bool, at version: Version
    ) {
        var object = objects[name] ?? Object(limit: waiter.mode.limit)
        guard object.isMeant(by: waiter.mode),
            !object.holders.contains(where: { $0.session == waiter.session }),
            !object.waiters.contains(where: { $0.session == waiter.session })
        else { return }
        let place = object.waiters.firstIndex { $0.priority < waiter.priority }
        object.waiters.insert(waiter, at: place ?? object.waiters.endIndex)
        grant(&object, at: version)
        if isTry { object.waiters.removeAll { $0 == waiter } }
        store(object, as: name)
    }

    mutating func release(
        _ name: ObjectName, _ session: SessionID, token: UInt64, at version: Version
    ) {
        change(name, at: version) { object in
            object.holders.removeAll { $0.session == session && $0.token == token }
        }
    }

    /// - Precondition: it closes no cycle.
    mutating func handOver(
        _ name: ObjectName, _ session: SessionID, token: UInt64, to standby: SessionID,
        at version: Version
    ) {
        guard !isSuspended else { return }
        change(name, at: version) { object in
            guard
                let leader = object.holders.firstIndex(where: {
                    $0.session == session && $0.token == token
                }), let heir = object.waiters.firstIndex(where: { $0.session == standby })
            else { return }
            object.holders.remove(at: leader)
            object.waiters.insert(object.waiters.remove(at: heir), at: 0)
        }
    }

    mutating func downgrade(
        _ name: ObjectName, _ session: SessionID, token: UInt64, at version: Version
    ) {
        change(name, at: version) { object in
            for index in object.holders.indices
            where object.holders[index].session == session
                && object.holders[index].token == token && object.holders[index].mode == .exclusive
            {
                object.holders[index].mode = .shared
            }
        }
    }

    /// - Precondition: it closes no cycle.
    mutating func upgrade(
        _ name: ObjectName, _ session: SessionID, _ number: UInt64, token: UInt64,
        at version: Version
    ) {
        change(name, at: version) { object in
            guard object.upgrade == nil,
                object.holders.contains(
                    Holder(session: session, mode: .shared, token: token))
            else { return }
            object.upgrade = Waiter(session: session, number: number, mode: .exclusive)
        }
    }

    mutating func limit(_ name: ObjectName, _ limit: UInt32, at version: Version) {
        change(name, at: version) { object in
            guard object.limit != nil,
                object.waiters.allSatisfy({ $0.mode.permitCount ?? 0 <= limit })
            else { return }
            object.limit = limit
        }
    }

    mutating func cancel(_ session: SessionID, _ number: UInt64, at version: Version) {
        for name in objects.keys {
            change(name, at: version) { object in
                object.waiters.removeAll { $0.session == session && $0.number == number }
                if object.upgrade?.session == session, object.upgrade?.number == number {
                    object.upgrade = nil
                }
            }
        }
    }

    mutating func end(_ session: SessionID, at version: Version) {
        for name in objects.keys {
            change(name, at: version) { object in
                object.holders.removeAll { $0.session == session }
                object.waiters.removeAll { $0.session == session }
            }
        }
    }

    mutating func open(at version: Version) {
        isSuspended = false
        for name in objects.keys { change(name, at: version) { _ in } }
    }

    private mutating func change(
        _ name: ObjectName, at version: Version, _ change: (inout Object) -> Void
    ) {
        guard var object = objects[name] else { return }
        change(&object)
        grant(&object, at: version)
        store(object, as: name)
    }

    private mutating func store(_ object: Object, as name: ObjectName) {
        objects[name] = object.holders.isEmpty && object.waiters.isEmpty ? nil : object
    }

    private func grant(_ object: inout Object, at version: Version) {
        // What its holder has given up nobody waits for.
        if let session = object.upgrade?.session,
            !object.holders.contains(where: { $0.session == session })
        {
            object.upgrade = nil
        }
        if !isSuspended, object.upgrade != nil, object.holders.count == 1 {
            object.upgrade = nil
            object.holders[0].mode = .exclusive
            object.holders[0].token = version.number
        }
        guard object.upgrade == nil else { return }
        while !isSuspended, let next = object.waiters.first, object.admits(next.mode) {
            object.waiters.removeFirst()
            object.holders.append(
                Holder(session: next.session, mode: next.mode, token: version.number))
        }
    }
}

extension ReferenceModel.Object {
    init(_ report: ObjectReport) {
        holders = report.holders.map {
            .init(session: $0.session, mode: $0.mode, token: $0.token)
        }
        waiters = report.waiters.map {
            .init(session: $0.session, number: 0, mode: $0.mode, priority: $0.priority)
        }
        limit = report.limit
    }

    /// Reports show a leader's place as had alone.
    var withoutModes: Self {
        var object = self
        for index in object.holders.indices { object.holders[index].mode = .exclusive }
        for index in object.waiters.indices { object.waiters[index].mode = .exclusive }
        return object
    }

    var withoutNumbers: Self {
        var object = self
        object.upgrade = nil
        for index in object.waiters.indices { object.waiters[index].number = 0 }
        return object
    }
}
