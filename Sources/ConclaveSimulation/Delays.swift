package import ConclaveBase

/// How long something takes: usually a time within one range, now and then one within another.
package struct Delays: Equatable, Sendable {
    package var usual: ClosedRange<Interval>
    package var rarePerMille: UInt64
    package var rare: ClosedRange<Interval>

    package init(
        _ usual: ClosedRange<Interval>, rarePerMille: UInt64 = 0,
        rare: ClosedRange<Interval> = .zero ... .zero
    ) {
        self.usual = usual
        self.rarePerMille = rarePerMille
        self.rare = rare
    }

    package init(exactly interval: Interval) {
        self.init(interval...interval)
    }

    package func draw(from random: inout SeededRandom) -> Interval {
        if rarePerMille > 0, random.chance(perMille: rarePerMille) {
            return random.interval(in: rare)
        }
        return random.interval(in: usual)
    }
}
