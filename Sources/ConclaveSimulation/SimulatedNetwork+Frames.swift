package import ConclaveBase

/// How frames travel.
extension SimulatedNetwork {
    static let batchSplitPerMille: UInt64 = 200

    /// Sends frames that one turn collected for one peer. They are lost without a word if that
    /// connection is no more.
    func post(_ frames: [FabricFrame], from host: Int, to peer: Int, connection: UInt32, kind: Int)
    {
        let end = end(of: host, to: peer)
        guard ends[end].state == .open, ends[end].connection == connection else { return }
        let stream = 2 * end + kind
        let delays = directions[end].profile.delays
        let departure = max(timeline.now, hosts[host].heldUntil)
        var arrival = departure.advanced(by: delays.draw(from: &random))
        // A batch may come in two parts, as bytes of a stream do.
        let canSplit = frames.count > 1 && random.chance(perMille: Self.batchSplitPerMille)
        let split = canSplit ? 1 + Int(random.below(UInt64(frames.count - 1))) : frames.count
        for (index, frame) in frames.enumerated() {
            if kind == 1, directions[end].rowsToLose > 0 {
                directions[end].rowsToLose -= 1
                continue
            }
            if index == split { arrival = arrival.advanced(by: delays.draw(from: &random)) }
            streams[stream].append(frame, arrival: arrival)
        }
        scheduleArrival(stream)
    }

    private func scheduleArrival(_ stream: Int, after pause: Interval? = nil) {
        guard !streams[stream].isScheduled, let first = streams[stream].nextArrival else { return }
        streams[stream].isScheduled = true
        let connection = ends[opposite(stream / 2)].connection
        let moment = pause.map { timeline.now.advanced(by: $0) } ?? first
        timeline.schedule(.arrival(stream: UInt16(stream), connection: connection), at: moment)
    }

    func arrive(stream: Int, connection: UInt32) {
        let sender = stream / 2
        let receiver = opposite(sender)
        // Frames of a connection that was replaced are gone with it.
        guard ends[receiver].connection == connection else { return }
        streams[stream].isScheduled = false
        guard !directions[sender].isCut, hosts[owner(ofEnd: receiver)].hasPower else {
            tryAgain(stream, sender: sender)
            return
        }
        guard ends[receiver].state != .closed else {
            streams[stream].reset(notBefore: timeline.now)
            // The host answers bytes of a connection it does not know.
            announceBreak(to: sender, connection: connection, gracefully: false)
            return
        }
        deliver(stream, to: receiver, connection: connection)
        watchAcknowledgements(of: stream, sender: sender, receiver: receiver)
        scheduleArrival(stream)
    }

    private func deliver(_ stream: Int, to receiver: Int, connection: UInt32) {
        let peer = owner(ofEnd: opposite(receiver))
        let inbox = inboxes[owner(ofEnd: receiver)]
        let stream = streams[stream]
        stream.retryAfter = .zero
        while let frame = stream.next(at: timeline.now) {
            timeline.mix(UInt64(frame.byteCount))
            inbox.put(
                .fabric(
                    FabricDelivery(peer: peer, connection: connection, content: .frame(frame))))
        }
    }

    /// What cannot get through is sent again after growing pauses, until its sender has had enough.
    private func tryAgain(_ stream: Int, sender: Int) {
        let profile = directions[sender].profile
        streams[stream].retryAfter =
            streams[stream].retryAfter == .zero
            ? profile.retry : min(streams[stream].retryAfter * 2, profile.retryCeiling)
        noteTrouble(of: stream, sender: sender)
        scheduleArrival(stream, after: streams[stream].retryAfter)
    }

    /// Bytes got through; their acknowledgements may not.
    private func watchAcknowledgements(of stream: Int, sender: Int, receiver: Int) {
        if directions[receiver].isCut {
            noteTrouble(of: stream, sender: sender)
        } else {
            streams[stream].stuckSince = .never
        }
    }

    private func noteTrouble(of stream: Int, sender: Int) {
        guard streams[stream].stuckSince == .never else { return }
        streams[stream].stuckSince = timeline.now
        timeline.schedule(
            .giveUp(end: UInt16(sender), connection: ends[sender].connection),
            after: ends[sender].patience)
    }

    /// Closes an end whose bytes have been in trouble for as long as it has patience.
    func giveUp(end: Int, connection: UInt32) {
        guard ends[end].connection == connection, ends[end].state == .open else { return }
        for stream in outgoing(end) where streams[stream].stuckSince != .never {
            if streams[stream].isEmpty, !directions[opposite(end)].isCut {
                // The acknowledgement came after all.
                streams[stream].stuckSince = .never
            } else if timeline.now.since(streams[stream].stuckSince) >= ends[end].patience {
                closeByOwner(end)
                return
            }
        }
    }

    // MARK: - Faults

    /// Cuts are counted: a direction is whole when each of them has healed.
    package func cut(from host: Int, to peer: Int) {
        directions[end(of: host, to: peer)].cutCount += 1
    }

    package func heal(from host: Int, to peer: Int) {
        directions[end(of: host, to: peer)].cutCount -= 1
    }

    /// The next row writes in a direction get lost on their way.
    package func loseRows(_ count: Int, from host: Int, to peer: Int) {
        directions[end(of: host, to: peer)].rowsToLose += count
    }

    /// Lets nothing that a host sends leave before `interval` has passed.
    package func holdBack(host: Int, for interval: Interval) {
        hosts[host].heldUntil = timeline.now.advanced(by: interval)
    }

    /// Whether what a host sent has not left yet.
    package func isHeldBack(host: Int) -> Bool { hosts[host].heldUntil > timeline.now }

    package func setProfile(_ profile: LinkProfile, from host: Int, to peer: Int) {
        directions[end(of: host, to: peer)].profile = profile
    }

    package func isCut(from host: Int, to peer: Int) -> Bool {
        directions[end(of: host, to: peer)].isCut
    }

    /// Something between the two resets their connection: both ends believe it was the other.
    package func reset(_ one: Int, _ other: Int) {
        for end in [end(of: one, to: other), end(of: other, to: one)] {
            announceBreak(to: end, connection: ends[end].connection, gracefully: false)
        }
    }
}
