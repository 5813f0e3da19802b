package import ConclaveBase

extension ByteWriter {
    package mutating func name(_ name: ObjectName) {
        text(name.text)
    }

    package mutating func optional<T: FixedWidthInteger & BitwiseCopyable>(_ value: T?) {
        flag(value != nil)
        if let value { integer(value) }
    }

    package mutating func lineage(_ lineage: Lineage) {
        integer(lineage.high)
        integer(lineage.low)
    }

    package mutating func member(_ member: Member) {
        integer(member.node.number)
        integer(member.incarnation.number)
    }

    package mutating func view(_ view: View) {
        integer(view.epoch.number)
        count(view.members.count)
        for member in view.members { self.member(member) }
    }

    // As for `integer`: those of views.
    @specialized(where T == UInt64)
    @specialized(where T == NodeID)
    @specialized(where T == Lineage)
    @specialized(where T == Member)
    @specialized(where T == InstalledView.Departed)
    @specialized(where T == MemberList.Entry)
    package mutating func list<T>(_ values: [T], _ encode: (T, inout ByteWriter) -> Void) {
        count(values.count)
        for value in values { encode(value, &self) }
    }
}
