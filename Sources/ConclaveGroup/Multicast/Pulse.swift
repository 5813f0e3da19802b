package import ConclaveBase

/// Heartbeats and echoes of one epoch. A heartbeat is the instant, by its sender's clock, at which
/// it was sent; its echo gives the very number back, so that a majority's echoes tell the sender
/// since when, by its own clock, a majority has surely heard of it (K3).
package final class Pulse {
    private let table: SharedStateTable
    private let layout: RowLayout
    private let own: Int
    private let quorum: Int
    /// When each member's heartbeat was last seen to grow, and when it was last echoed.
    package private(set) var lastHeard: [Instant]
    package private(set) var lastEchoed: [Instant]
    /// Whom the pulse is to be pushed to: everybody after a heartbeat, else those whose heartbeats it
    /// echoes, for nobody else looks at an echo.
    package private(set) var isDue: RankSet

    package init(table: SharedStateTable, quorum: Int, now: Instant) {
        self.table = table
        layout = table.layout
        own = table.own
        self.quorum = quorum
        lastHeard = Array(repeating: now, count: layout.memberCount)
        lastEchoed = lastHeard
        isDue = RankSet(true, count: layout.memberCount)
    }

    package func beat(now: Instant, wallClock: Timestamp) {
        let before = table.value(row: own, at: layout.heartbeat)
        table.advance(layout.heartbeat, to: max(now.nanoseconds, before + 1))
        table.set(layout.wallClock, to: wallClock.microseconds)
        isDue = RankSet(true, count: layout.memberCount)
    }

    /// Looks at `rank`'s heartbeat and echoes a new one, in this very turn of the loop.
    package func scan(_ rank: Int, now: Instant) {
        let heartbeat = table.value(row: rank, at: layout.heartbeat)
        guard heartbeat > table.value(row: own, at: layout.echo(rank)) else { return }
        table.advance(layout.echo(rank), to: heartbeat)
        lastHeard[rank] = now
        lastEchoed[rank] = now
        isDue[rank] = true
    }

    /// The median of the members' wall clocks as their heartbeats told them last, the lower one of two;
    /// this member's shows `wallClock` now. `nil` while fewer than a quorum were heard of, or fewer
    /// than three, which cannot say whose is wrong.
    package func medianWallClock(own wallClock: Timestamp) -> Timestamp? {
        var clocks = [wallClock.microseconds]
        for rank in 0..<layout.memberCount where rank != own {
            guard table.value(row: rank, at: layout.heartbeat) > 0 else { continue }
            clocks.append(table.value(row: rank, at: layout.wallClock))
        }
        guard clocks.count >= max(3, quorum) else { return nil }
        clocks.sort()
        return Timestamp(microseconds: clocks[(clocks.count - 1) / 2])
    }

    /// The newest own heartbeat.
    package var heartbeat: UInt64 { table.value(row: own, at: layout.heartbeat) }

    /// Whether a majority of the view, this member included, has confirmed that heartbeat.
    package func isConfirmed(_ heartbeat: UInt64) -> Bool {
        quorum == 1 || hasMajority(heartbeat)
    }

    /// The newest own heartbeat that a majority of the view, this member included, has confirmed.
    package func confirmed(now: Instant) -> Instant? {
        if quorum == 1 { return now }
        var value: UInt64 = 0
        for rank in 0..<layout.memberCount where rank != own {
            let echo = table.value(row: rank, at: layout.echo(own))
            if echo > value, hasMajority(echo) { value = echo }
        }
        return value == 0 ? nil : Instant(nanoseconds: min(value, now.nanoseconds))
    }

    /// Whether so many members, this one included, have echoed that heartbeat or a later one.
    private func hasMajority(_ heartbeat: UInt64) -> Bool {
        var count = 1
        for rank in 0..<layout.memberCount where rank != own {
            if table.value(row: rank, at: layout.echo(own)) >= heartbeat { count += 1 }
        }
        return count >= quorum
    }

    package func pushed() {
        isDue = RankSet(false, count: layout.memberCount)
    }
}
