package import ConclaveBase

extension Multicast {
    /// Whether the next index's slot may be filled: every member has delivered what was in it (V4).
    package var canSend: Bool {
        let use = slotUse[Int(sent % UInt64(layout.slotCount))]
        guard use > 0, settings.plant != .reuseSlotEarly else { return true }
        let end = (use - 1) * UInt64(memberCount) + UInt64(own) + 1
        for rank in 0..<memberCount where deliveredPosition(of: rank) < end { return false }
        return true
    }

    /// Puts one message into the ring; it is seen by the others with the next push.
    ///
    /// - Precondition: `canSend`, and `payload` fits a slot.
    package func send(_ payload: [UInt8], timestamp: Timestamp) -> OrderedMessage {
        let index = sent
        let range = table.fillSlot(index: index, timestamp: timestamp, payload: payload)
        let slot = Int(index % UInt64(layout.slotCount))
        slotUse[slot] = index + 1
        filledSlots[slot] = range
        dirtySlots.append(range)
        let message = OrderedMessage(
            sender: own, index: index, ordinal: messages, timestamp: timestamp, payload: payload)
        sent += 1
        messages += 1
        publishSent()
        countersAreDirty = true
        scanned[own] = sent
        received[own] = messages
        highest = max(highest, message.position(memberCount: memberCount) + 1)
        return message
    }

    /// Lets the others pass this member up to the highest message seen, never beyond: nulls must
    /// not answer nulls (V7). What they let pass is not delivered before this member has acknowledged
    /// it, so they go along with that.
    package func sendNulls() {
        guard highest > 0 else { return }
        let top = highest - 1
        let index = top / UInt64(memberCount)
        let target = own < Int(top % UInt64(memberCount)) ? index + 1 : index
        guard sent < target else { return }
        sent = target
        scanned[own] = sent
        publishSent()
        countersCanWait = true
    }

    private func publishSent() {
        table.advance(layout.messages, to: messages)
        table.advance(layout.sent, to: sent)
    }

    func deliveredPosition(of rank: Int) -> UInt64 {
        table.value(row: rank, at: layout.delivered)
    }
}
