import ConclaveBase
import ConclaveWire

/// In some runs clients ask their daemon to stop them before what they hold is somebody else's.
struct LossActions {
    private var random: SeededRandom
    /// For what comes of it.
    private(set) var later: SeededRandom

    /// From numbers of its own, then and later: whatever else a seed decides stays as it was.
    static func drawn(seed: UInt64) -> LossActions? {
        var random = SeededRandom(seed: seed ^ 0x6F6E_206C_6F73_7300)
        guard random.chance(perMille: 600) else { return nil }
        return LossActions(random: random.split(), later: random)
    }

    /// What the next request asks for: often nothing.
    mutating func next() -> LossAction {
        guard random.chance(perMille: 500) else { return .notify }
        return WorldShape.pick([.signal, .freeze, .kill, .kill], &random)
    }

    /// How long it takes until a process that was sent a signal stands still: less than the margin.
    mutating func delay(within margin: Interval) -> Interval {
        WorldShape.logarithmic(.microseconds(10)...max(margin / 2, .microseconds(20)), &later)
    }

    /// How long a process that stands still is left so.
    mutating func freeze(upTo longest: Interval) -> Interval {
        WorldShape.logarithmic(.milliseconds(1)...longest, &later)
    }

    /// Whether a process hangs soon after it has resumed its session, and its host is cut off.
    mutating func isHung() -> Bool { later.chance(perMille: 800) }

    mutating func hang(between shortest: Interval, _ longest: Interval) -> Interval {
        later.interval(in: shortest...longest)
    }

    /// Whether it goes on then; else it is killed.
    mutating func isThawed() -> Bool { later.chance(perMille: 600) }
}
