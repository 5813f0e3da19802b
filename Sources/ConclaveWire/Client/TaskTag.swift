package import ConclaveBase

/// One that waits or is waited for: a session as a whole, number 0, or one of the tasks that its
/// program runs at the same time.
package struct TaskReference: Hashable, Sendable {
    package var session: SessionID
    package var number: UInt64

    package init(session: SessionID, number: UInt64) {
        self.session = session
        self.number = number
    }

    package init(from reader: inout ByteReader) throws(WireError) {
        session = try reader.session("task's session")
        number = try reader.integer("task")
    }

    package func encode(into writer: inout ByteWriter) {
        writer.integer(session.number)
        writer.integer(number)
    }
}

extension TaskReference: Comparable {
    package static func < (lhs: Self, rhs: Self) -> Bool {
        (lhs.session, lhs.number) < (rhs.session, rhs.number)
    }
}

/// Who asks for a lock or a leader slot: a task of the session, and those, of other sessions too,
/// that go on only when this one has ended.
package struct TaskTag: Hashable, Sendable {
    /// The task that holds what is granted. Of a session that names none it is 0.
    package var number: UInt64
    /// They wait as long as this one does; the outermost comes first.
    package var within: [TaskReference]

    package init(number: UInt64 = 0, within: [TaskReference] = []) {
        self.number = number
        self.within = within
    }

    package init(from reader: inout ByteReader) throws(WireError) {
        number = try reader.integer("task")
        within = []
        for _ in 0..<(try reader.count("tasks around", maximum: ClientLimits.tasksAround)) {
            within.append(try TaskReference(from: &reader))
        }
    }

    package func encode(into writer: inout ByteWriter) {
        writer.integer(number)
        writer.list(within) { $0.encode(into: &$1) }
    }
}
