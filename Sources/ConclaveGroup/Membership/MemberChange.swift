package import ConclaveBase
package import ConclaveWire

/// What an operator wants of the member list: one machine more, or one less.
package struct MemberChange: Hashable, Sendable {
    package enum Action: Hashable, Sendable {
        case add(MemberList.Entry)
        case remove(NodeID)
    }

    package var action: Action
    /// Who asked, for the log of every member.
    package var by: String

    package static let maximumTextByteCount = 255

    package init(_ action: Action, by: String) {
        self.action = action
        self.by = by
    }

    package var node: NodeID {
        switch action {
        case .add(let entry): entry.node
        case .remove(let node): node
        }
    }

    package var isRemoval: Bool {
        if case .remove = action { true } else { false }
    }

    package func applied(to list: MemberList) -> MemberList {
        switch action {
        case .add(let entry): list.adding(entry)
        case .remove(let node): list.removing(node)
        }
    }

    /// Whether `list` is already as this change wants it.
    package func isDone(in list: MemberList) -> Bool {
        switch action {
        case .add(let entry): list.entries.contains(entry)
        case .remove(let node): !list.contains(node)
        }
    }

    /// Why this change of `list` cannot be while `present` are the members of the view, if it
    /// cannot: those who stay must be enough for the list that it makes.
    package func refusal(by list: MemberList, present: [NodeID]) -> String? {
        let next = applied(to: list)
        switch action {
        case .add(let entry):
            if list.contains(entry.node) {
                return "member \(entry.node) is in the list, with another address"
            }
            if next.entries.count > MemberList.maximumCount {
                return "there are \(list.entries.count) members; at most "
                    + "\(MemberList.maximumCount) are possible"
            }
            let other = list.entries.first { !$0.address.isEmpty && $0.address == entry.address }
            if let other { return "member \(other.node) has this address" }
        case .remove(let node):
            guard list.contains(node) else { return "there is no member \(node) in the list" }
            if next.entries.count < max(1, next.minimumMembers) {
                return "\(next.entries.count) members would be left of the "
                    + "\(max(1, next.minimumMembers)) that the group needs"
            }
        }
        let staying = present.count { $0 != node || !isRemoval }
        guard staying < next.minimumMembers else { return nil }
        return "\(staying) of the \(next.entries.count) members would be present, and "
            + "\(next.minimumMembers) are needed: let others come back first"
    }

    package func encode(into writer: inout ByteWriter) {
        switch action {
        case .add(let entry):
            writer.integer(UInt8(1))
            writer.entry(entry)
        case .remove(let node):
            writer.integer(UInt8(2))
            writer.integer(node.number)
        }
        writer.text(by)
    }

    package init(from reader: inout ByteReader) throws(WireError) {
        let kind = try reader.byte("member change")
        switch kind {
        case 1: action = .add(try reader.entry("added member"))
        case 2: action = .remove(try reader.node("removed member"))
        default: throw .unknown(field: "member change", value: UInt64(kind))
        }
        by = try reader.text("by", maximum: Self.maximumTextByteCount)
    }
}

extension ByteWriter {
    mutating func entry(_ entry: MemberList.Entry) {
        integer(entry.node.number)
        bytes(entry.address)
    }

    mutating func memberList(_ list: MemberList) {
        self.list(list.entries) { $1.entry($0) }
        integer(UInt32(list.givenMinimum))
    }
}

extension ByteReader {
    mutating func entry(_ field: String) throws(WireError) -> MemberList.Entry {
        MemberList.Entry(
            node: try node(field),
            address: try bytes(field, maximum: MemberList.maximumAddressByteCount))
    }

    mutating func memberList(_ field: String) throws(WireError) -> MemberList {
        let entryCount = try count(field, maximum: MemberList.maximumCount)
        var entries: [MemberList.Entry] = []
        entries.reserveCapacity(entryCount)
        for _ in 0..<entryCount {
            let entry = try entry(field)
            if let last = entries.last, last.node >= entry.node {
                throw .invalid(field: field, reason: "is not in order")
            }
            entries.append(entry)
        }
        let minimum: UInt32 = try integer("given minimum")
        guard minimum <= MemberList.maximumCount else {
            throw .outOfRange(
                field: "given minimum", value: UInt64(minimum),
                maximum: UInt64(MemberList.maximumCount))
        }
        return MemberList(entries, givenMinimum: Int(minimum))
    }
}
