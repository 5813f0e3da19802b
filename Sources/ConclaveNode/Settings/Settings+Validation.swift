import ConclaveBase

extension Settings {
    /// What is wrong with a value, or with values together. The first of `keys` that the file has
    /// is where the reader is sent.
    struct Objection: Equatable {
        var keys: [SettingKey]
        var message: String
    }

    /// A socket's path must fit `sockaddr_un` with its zero at the end.
    package static let maximumSocketPathByteCount = 107

    /// Everything that is wrong with these values. Nothing is said about how a value goes with
    /// others if it is out of bounds by itself.
    func objections() -> [Objection] {
        let outOfBounds = SettingKey.allCases.flatMap(boundsObjections)
        let keys = outOfBounds.flatMap(\.keys)
        let together = memberObjections() + timingObjections() + pathObjections()
        return outOfBounds + together.filter { !$0.keys.contains(where: keys.contains) }
    }

    private func boundsObjections(_ key: SettingKey) -> [Objection] {
        func outside(_ low: String, _ high: String) -> [Objection] {
            let message = "`\(key.rawValue)` is \(text(of: key)); it must be \(low) to \(high)"
            return [Objection(keys: [key], message: message)]
        }
        switch key.form {
        case .count(let path, let bounds) where !bounds.contains(self[keyPath: path]):
            return outside("\(bounds.lowerBound)", "\(bounds.upperBound)")
        case .size(let path, let bounds) where !bounds.contains(self[keyPath: path]):
            return outside(
                Quantity.text(byteCount: bounds.lowerBound),
                Quantity.text(byteCount: bounds.upperBound))
        case .interval(let path, let bounds) where !bounds.contains(self[keyPath: path]):
            return outside(Quantity.text(bounds.lowerBound), Quantity.text(bounds.upperBound))
        default: return []
        }
    }

    private func memberObjections() -> [Objection] {
        guard !members.isEmpty else { return [] }
        var objections: [Objection] = []
        func object(_ keys: [SettingKey], _ message: String) {
            objections.append(Objection(keys: keys, message: message))
        }
        if members.count > SettingKey.maximumMembers {
            object([.members], "\(members.count) members; at most \(SettingKey.maximumMembers)")
        }
        if node != NodeID(0), !members.contains(where: { $0.node == node }) {
            object([.node], "`node` is \(node), which is none of the members")
        }
        for (index, member) in members.enumerated() {
            let earlier = members[..<index]
            if earlier.contains(where: { $0.node == member.node }) {
                object([.members], "member \(member.node) is named twice")
            }
            if let other = earlier.first(where: { $0.address == member.address }) {
                object(
                    [.members],
                    "members \(other.node) and \(member.node) have the address \(member.address)")
            }
        }
        if minimumMembers > members.count {
            object(
                [.minimumMembers],
                "`minimumMembers` is \(minimumMembers); there are \(members.count) members")
        }
        return objections
    }

    private func timingObjections() -> [Objection] {
        var objections: [Objection] = []
        if suspicion < heartbeat * 4 {
            objections.append(
                Objection(
                    keys: [.suspicion, .heartbeat],
                    message: "`timing.suspicion` is \(Quantity.text(suspicion)); it must be at "
                        + "least 4 heartbeats (\(Quantity.text(heartbeat * 4)))"))
        }
        if maximumSessionTTL < suspicion * 3 {
            objections.append(
                Objection(
                    keys: [.maxSessionTtl, .suspicion],
                    message: "`maxSessionTtl` is \(Quantity.text(maximumSessionTTL)); it must be "
                        + "at least 3 times `timing.suspicion` (\(Quantity.text(suspicion * 3)))"))
        }
        return objections
    }

    private func pathObjections() -> [Objection] {
        var objections: [Objection] = []
        for (key, path) in [(SettingKey.data, data), (.socket, socket)] {
            if path.isEmpty || path.utf8.contains(0) {
                objections.append(
                    Objection(keys: [key], message: "`\(key.rawValue)` is not a path"))
            }
        }
        if socket.utf8.count > Self.maximumSocketPathByteCount {
            objections.append(
                Objection(
                    keys: [.socket],
                    message: "the socket path \(socket) has \(socket.utf8.count) bytes; at most "
                        + "\(Self.maximumSocketPathByteCount) are possible"))
        }
        return objections
    }
}
