import ConclaveBase

extension Multicast {
    /// Looks at what `rank` has written since the last time and hands over its new messages.
    ///
    /// - Returns: False if the row contradicts itself: something was lost on the path, which then
    ///   counts as broken; nothing is passed or acknowledged (V5).
    package func scan(_ rank: Int, into found: inout [OrderedMessage]) -> Bool {
        let sentThere = table.value(row: rank, at: layout.sent)
        guard sentThere > scanned[rank] else { return true }
        guard sentThere - scanned[rank] <= Self.maximumStep else { return false }
        let start = found.count
        var count = received[rank]
        for index in scanned[rank]..<sentThere where table.carries(index, row: rank) {
            guard let message = table.message(index, row: rank) else {
                found.removeSubrange(start...)
                return false
            }
            found.append(
                OrderedMessage(
                    sender: rank, index: index, ordinal: count, timestamp: message.timestamp,
                    payload: message.payload))
            count += 1
        }
        let claimed = table.value(row: rank, at: layout.messages)
        if count != claimed, settings.plant != .deliverPastFalseNull {
            found.removeSubrange(start...)
            return false
        }
        received[rank] = count
        scanned[rank] = sentThere
        if let last = found.last, found.count > start {
            highest = max(highest, last.position(memberCount: memberCount) + 1)
        }
        return true
    }

    /// Delivers what has become deliverable, in the total order (V9).
    package func deliver(into output: inout [OrderedMessage]) {
        let before = position
        guard before / UInt64(memberCount) < scanned[Int(before % UInt64(memberCount))] else {
            return
        }
        let stable = stableFrontier()
        while true {
            let sender = Int(position % UInt64(memberCount))
            let index = position / UInt64(memberCount)
            guard index < scanned[sender] else { break }
            if table.carries(index, row: sender) {
                guard stable[sender] > delivered[sender] else { break }
                guard let message = table.message(index, row: sender) else { break }
                output.append(
                    OrderedMessage(
                        sender: sender, index: index, ordinal: delivered[sender],
                        timestamp: message.timestamp, payload: message.payload))
                delivered[sender] += 1
            }
            position += 1
        }
        guard position > before else { return }
        table.advance(layout.delivered, to: position)
        // Only who is about to reuse a slot waits for this (V4), and has three quarters of its ring
        // until then.
        if position - toldPosition >= UInt64(memberCount * layout.slotCount / 4) {
            countersAreDirty = true
        } else {
            countersCanWait = true
        }
    }

    /// For each sender, how many of its messages every member has acknowledged.
    package func stableFrontier() -> [UInt64] {
        (0..<memberCount).map { sender in
            var smallest = UInt64.max
            for rank in 0..<memberCount {
                smallest = min(smallest, acknowledged(by: rank, of: sender))
            }
            return smallest
        }
    }

    /// Whether `rank` owes an acknowledgement or a delivery: it stalls if this lasts (V10).
    package func isBehind(_ rank: Int) -> Bool {
        for sender in 0..<memberCount
        where acknowledged(by: rank, of: sender) < received[sender] {
            return true
        }
        return deliveredPosition(of: rank) < position
    }

    /// A number that changes whenever `rank` acknowledges or delivers something.
    package func progress(of rank: Int) -> UInt64 {
        var sum = deliveredPosition(of: rank)
        for sender in 0..<memberCount { sum &+= acknowledged(by: rank, of: sender) }
        return sum
    }

    /// What was received and not delivered, taken out of the ring when the epoch ends.
    package func undelivered() -> HeldMessages {
        var held = HeldMessages(delivered: delivered)
        for sender in 0..<memberCount {
            var ordinal = delivered[sender]
            let first = nextIndex(of: sender)
            guard first < scanned[sender] else { continue }
            for index in first..<scanned[sender] where table.carries(index, row: sender) {
                guard let message = table.message(index, row: sender) else { break }
                _ = held.append(
                    OrderedMessage(
                        sender: sender, index: index, ordinal: ordinal,
                        timestamp: message.timestamp, payload: message.payload))
                ordinal += 1
            }
        }
        return held
    }

    /// The first index of `sender` that is not delivered.
    private func nextIndex(of sender: Int) -> UInt64 {
        let round = position / UInt64(memberCount)
        return UInt64(sender) < position % UInt64(memberCount) ? round + 1 : round
    }

    /// No honest member is this many indexes ahead of what was seen of it.
    private static var maximumStep: UInt64 { 1 << 20 }
}
