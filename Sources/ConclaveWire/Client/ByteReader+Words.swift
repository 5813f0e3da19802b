package import ConclaveBase

extension ByteReader {
    package mutating func name(_ field: String) throws(WireError) -> ObjectName {
        let text = try text(field, maximum: Int(UInt16.max))
        do {
            return try ObjectName(text)
        } catch {
            throw Self.refusal(of: error, in: field)
        }
    }

    private static func refusal(of fault: ObjectName.Fault, in field: String) -> WireError {
        switch fault {
        case .empty: .invalid(field: field, reason: "is empty")
        case .tooLong(let byteCount):
            .outOfRange(
                field: field, value: UInt64(byteCount),
                maximum: UInt64(ObjectName.maximumByteCount))
        case .controlCharacter(let offset):
            .invalid(field: field, reason: "has a control character at byte \(offset)")
        }
    }

    /// A byte that stands for a case.
    package mutating func choice<T: RawRepresentable>(
        _ field: String
    ) throws(WireError) -> T where T.RawValue == UInt8 {
        let value = try byte(field)
        guard let choice = T(rawValue: value) else {
            throw .unknown(field: field, value: UInt64(value))
        }
        return choice
    }

    package mutating func optional<T: FixedWidthInteger & BitwiseCopyable>(
        _ field: String
    ) throws(WireError) -> T? {
        try flag(field) ? try integer(field) : nil
    }

    /// From zero to `ClientLimits.longestLockDelay`.
    package mutating func lockDelay(_ field: String) throws(WireError) -> Interval {
        let nanoseconds: UInt64 = try integer(field)
        let maximum = UInt64(ClientLimits.longestLockDelay.nanoseconds)
        guard nanoseconds <= maximum else {
            throw .outOfRange(field: field, value: nanoseconds, maximum: maximum)
        }
        return Interval(nanoseconds: Int64(nanoseconds))
    }

    /// As 32 bits.
    mutating func milliseconds(_ field: String) throws(WireError) -> Interval {
        let count: UInt32 = try integer(field)
        return .milliseconds(Int64(count))
    }

    /// From one to `ClientLimits.leaderPlaces`.
    package mutating func places(_ field: String) throws(WireError) -> UInt32 {
        let count: UInt32 = try integer(field)
        guard count > 0 else { throw .invalid(field: field, reason: "must not be 0") }
        guard count <= ClientLimits.leaderPlaces else {
            throw .outOfRange(
                field: field, value: UInt64(count), maximum: UInt64(ClientLimits.leaderPlaces))
        }
        return count
    }

    /// Of a leader: below `ClientLimits.leaderPlaces`.
    package mutating func place(_ field: String) throws(WireError) -> UInt32 {
        let place: UInt32 = try integer(field)
        guard place < ClientLimits.leaderPlaces else {
            throw .outOfRange(
                field: field, value: UInt64(place), maximum: UInt64(ClientLimits.leaderPlaces - 1))
        }
        return place
    }

    package mutating func token(_ field: String) throws(WireError) -> FencingToken {
        FencingToken(try integer(field) as UInt64)
    }

    package mutating func version(_ field: String) throws(WireError) -> Version {
        Version(try integer(field))
    }

    package mutating func session(_ field: String) throws(WireError) -> SessionID {
        SessionID(try integer(field))
    }

    package mutating func epoch(_ field: String) throws(WireError) -> Epoch {
        Epoch(try integer(field))
    }

    package mutating func node(_ field: String) throws(WireError) -> NodeID {
        NodeID(try integer(field))
    }

    package mutating func timestamp(_ field: String) throws(WireError) -> Timestamp {
        Timestamp(microseconds: try integer(field))
    }

    package mutating func lineage(_ field: String) throws(WireError) -> Lineage {
        Lineage(high: try integer(field), low: try integer(field))
    }

    package mutating func member(_ field: String) throws(WireError) -> Member {
        let node = try node(field)
        return Member(node: node, incarnation: Incarnation(try integer(field)))
    }

    package mutating func view(_ field: String) throws(WireError) -> View {
        let epoch = try epoch(field)
        let count = try count(field, maximum: View.maximumMembers)
        var members: [Member] = []
        members.reserveCapacity(count)
        for _ in 0..<count { members.append(try member(field)) }
        return View(epoch: epoch, members: members)
    }
}
