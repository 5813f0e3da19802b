import ConclaveBase
import ConclaveWire
import DequeModule

/// Replies that are too much for one turn, or for a client that does not read as fast as they come.
///
/// A party is told everybody's payloads, and one session may have a thousand parties: what a barrier
/// has decided can come to gigabytes. So a turn answers about as much as it may, and the rest waits
/// for the next ones, of which every connection gets a share. Nothing overtakes what is held: a
/// client takes a later reply as the sign that it has all before it (K9).
extension Service {
    /// Frames that are held for one connection; whoever lets more wait is cut.
    private static let maximumHeld = 8 << 20

    /// Of one connection, before the next one's turn comes.
    private var shareByteCount: Int { settings.toldByteCountOfTurn / 16 }

    /// Answers now, if the connection takes it and the turn has room.
    mutating func answer(
        _ frame: HeldFrame, to id: ConnectionID, effects: inout [ServiceEffect]
    ) {
        guard replyByteCountLeft > 0, connections.change(id, { $0.takesMore }) == true else {
            return hold(frame, for: id, effects: &effects)
        }
        let bytes = frame.bytes
        replyByteCountLeft -= bytes.count
        effects.append(.send(id, bytes, attachPage: false))
    }

    mutating func hold(
        _ frame: HeldFrame, for id: ConnectionID, effects: inout [ServiceEffect]
    ) {
        guard let index = connections.index(forKey: id) else { return }
        if connections.values[index].held.isEmpty {
            heldLine.append(TurnLine.Place(id: .init(connection: id, number: 0), serial: 0))
        }
        connections.values[index].held.append(frame)
        connections.values[index].heldByteCount += frame.byteCount
        guard connections.values[index].heldByteCount <= Self.maximumHeld else {
            return close(id, now: .distantPast, effects: &effects)
        }
        reconsiderReading(id, effects: &effects)
    }

    /// Tells what is held, as far as connections take it and `left` bytes go.
    mutating func tellHeld(_ left: inout Int, effects: inout [ServiceEffect]) {
        for _ in 0..<heldLine.count {
            guard left > 0, let place = heldLine.next() else { return }
            let id = place.id.connection
            guard let connection = connections[id] else { continue }
            guard connection.backlog == 0 else {
                heldLine.park(place)
                continue
            }
            left -= tellShare(of: id, effects: &effects)
            if connections[id]?.takesMore == true {
                unpark(id)
            } else {
                heldLine.append(place)
            }
            reconsiderReading(id, effects: &effects)
        }
    }

    private mutating func tellShare(
        of id: ConnectionID, effects: inout [ServiceEffect]
    ) -> Int {
        guard let index = connections.index(forKey: id) else { return 0 }
        var told = 0
        while told < shareByteCount, let frame = connections.values[index].held.popFirst() {
            connections.values[index].heldByteCount -= frame.byteCount
            let bytes = frame.bytes
            told += bytes.count
            effects.append(.send(id, bytes, attachPage: frame.attachesPage))
        }
        return told
    }

    /// Whoever waited for the connection gets its turns again.
    mutating func unpark(_ id: ConnectionID) {
        if settings.plant != .heldForgotten { heldLine.unpark(id) }
        reads.line.unpark(id)
        keyWatchers.line.unpark(id)
        groupFollowers.line.unpark(id)
        leaderObservers.line.unpark(id)
    }
}
