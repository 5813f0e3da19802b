package import ConclaveBase

/// Several locks that are asked for as one: all of them are granted at one version, or none.
package struct LockSet: Equatable, Sendable {
    package struct Part: Equatable, Sendable {
        package var name: ObjectName
        package var mode: LockMode

        package init(_ name: ObjectName, _ mode: LockMode) {
            self.name = name
            self.mode = mode
        }
    }

    /// By name, each name once; at least one.
    package var parts: [Part]
    package var isTry: Bool
    /// In the queue of each of them.
    package var priority: Int32
    /// For how long nobody is granted any of them once this holder was lost.
    package var lockDelay: Interval
    package var task: TaskTag

    /// - Precondition: `parts` are not empty, and no two of one name.
    package init(
        _ parts: [Part], isTry: Bool = false, priority: Int32 = 0, lockDelay: Interval = .zero,
        task: TaskTag = TaskTag()
    ) {
        self.parts = parts.sorted { $0.name < $1.name }
        self.isTry = isTry
        self.priority = priority
        self.lockDelay = lockDelay
        self.task = task
        precondition(!parts.isEmpty, "a set of no locks")
        precondition(
            zip(self.parts, self.parts.dropFirst()).allSatisfy { $0.name < $1.name },
            "a lock twice in one set")
    }

    package var names: [ObjectName] { parts.map(\.name) }

    package func encode(into writer: inout ByteWriter) {
        writer.count(parts.count)
        for part in parts {
            writer.name(part.name)
            part.mode.encode(into: &writer)
        }
        writer.flag(isTry)
        writer.integer(priority)
        writer.integer(lockDelay.nanoseconds)
        task.encode(into: &writer)
    }

    package init(from reader: inout ByteReader) throws(WireError) {
        var parts: [Part] = []
        for _ in 0..<(try reader.lockSetCount("locks")) {
            let name = try reader.name("name", after: parts.last?.name)
            parts.append(Part(name, try LockMode(from: &reader)))
        }
        self.parts = parts
        isTry = try reader.flag("try")
        priority = try reader.integer("priority")
        lockDelay = try reader.lockDelay("lock delay")
        task = try TaskTag(from: &reader)
    }
}

extension ByteReader {
    fileprivate mutating func lockSetCount(_ field: String) throws(WireError) -> Int {
        let count = try count(field, maximum: ClientLimits.lockSet)
        guard count > 0 else { throw .invalid(field: field, reason: "must not be none") }
        return count
    }

    /// Names come in their order, each once.
    fileprivate mutating func name(
        _ field: String, after last: ObjectName?
    ) throws(WireError) -> ObjectName {
        let name = try name(field)
        if let last, !(last < name) {
            throw .invalid(field: field, reason: "\(name) does not come after \(last)")
        }
        return name
    }

    /// Of the locks that are let go of together.
    mutating func lockNames(_ field: String) throws(WireError) -> [ObjectName] {
        var names: [ObjectName] = []
        for _ in 0..<(try lockSetCount(field)) {
            names.append(try name(field, after: names.last))
        }
        return names
    }
}
