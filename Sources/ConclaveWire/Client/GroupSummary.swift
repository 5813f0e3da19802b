package import ConclaveBase

/// A task group that has members, in a few words.
package struct GroupSummary: Equatable, Sendable {
    package var name: ObjectName
    /// The number of its present view.
    package var view: UInt64
    package var memberCount: UInt32

    package init(name: ObjectName, view: UInt64, memberCount: UInt32) {
        self.name = name
        self.view = view
        self.memberCount = memberCount
    }

    package init(from reader: inout ByteReader) throws(WireError) {
        name = try reader.name("group")
        view = try reader.integer("view")
        memberCount = try reader.integer("members")
    }

    package func encode(into writer: inout ByteWriter) {
        writer.name(name)
        writer.integer(view)
        writer.integer(memberCount)
    }
}
