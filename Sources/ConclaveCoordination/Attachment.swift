package import ConclaveBase
package import ConclaveWire

/// Where a session is attached: changed only by an ordered open, resume or yield. The number grows
/// by one each time, so that a request about an attachment that is over has no effect.
package struct Attachment: Hashable, Sendable {
    package var member: Member
    package var number: UInt64

    package init(member: Member, number: UInt64) {
        self.member = member
        self.number = number
    }

    package init(from reader: inout ByteReader) throws(WireError) {
        member = try reader.member("attached to")
        number = try reader.integer("attach number")
    }

    package func encode(into writer: inout ByteWriter) {
        writer.member(member)
        writer.integer(number)
    }
}
