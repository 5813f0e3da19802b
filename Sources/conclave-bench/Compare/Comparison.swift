/// Medians over all lines of the same work done in the same way, and how Conclave stands to the best of
/// the others.
struct Comparison {
    private static let subject = "conclave"

    struct Row: Equatable {
        var work: FigureLine.Work
        var way: FigureLine.Way
        var lineCount: Int
        var median: Double
        var lowest: Double
        var highest: Double
        var p99: Double?
        /// Of Conclave, where somebody else has done the same work.
        var standing: Standing?
    }

    /// To the best of the others: the one with the best median.
    struct Standing: Equatable {
        var peer: FigureLine.Way
        /// As many times as good; below 1 it is worse. Of rounds that both were measured in, the
        /// median of each round's; else of the medians.
        var timesBetter: Double
        var timesBetterAtP99: Double?
    }

    /// By work, in the order in which it is found first, with Conclave before the others.
    let rows: [Row]

    init(_ lines: [FigureLine]) {
        var works: [FigureLine.Work] = []
        var groups: [FigureLine.Work: [FigureLine]] = [:]
        for line in lines {
            if groups[line.work] == nil { works.append(line.work) }
            groups[line.work, default: []].append(line)
        }
        rows = works.flatMap { Self.rows(groups[$0] ?? []) }
    }

    /// Of one work.
    private static func rows(_ lines: [FigureLine]) -> [Row] {
        var ways: [FigureLine.Way] = []
        for line in lines where !ways.contains(line.way) { ways.append(line.way) }
        let parts = ways.map { way in lines.filter { $0.way == way } }
        let best = bestPeer(parts)
        let ordered =
            parts.filter { $0[0].way.system == subject }
            + parts.filter { $0[0].way.system != subject }
        return ordered.map { part in
            let mains = part.map(\.main)
            return Row(
                work: part[0].work, way: part[0].way, lineCount: part.count,
                median: median(mains), lowest: mains.min() ?? 0, highest: mains.max() ?? 0,
                p99: optionalMedian(part.compactMap(\.p99)),
                standing: part[0].way.system == subject
                    ? best.flatMap { standing(of: part, to: $0) } : nil)
        }
    }

    private static func bestPeer(_ parts: [[FigureLine]]) -> [FigureLine]? {
        let peers = parts.filter { $0[0].way.system != subject }
        return peers.min { left, right in
            let (left, right) = (median(left.map(\.main)), median(right.map(\.main)))
            return isMoreBetter(peers[0][0].work.unit) ? left > right : left < right
        }
    }

    private static func standing(of own: [FigureLine], to peer: [FigureLine]) -> Standing? {
        guard let times = timesBetter(own, peer, { $0.main }) else { return nil }
        return Standing(
            peer: peer[0].way, timesBetter: times,
            timesBetterAtP99: timesBetter(own, peer, { $0.p99 }))
    }

    private static func timesBetter(
        _ own: [FigureLine], _ peer: [FigureLine], _ figure: (FigureLine) -> Double?
    ) -> Double? {
        let isMoreBetter = isMoreBetter(own[0].work.unit)
        func times(_ own: [FigureLine], _ peer: [FigureLine]) -> Double? {
            guard let own = optionalMedian(own.compactMap(figure)),
                let peer = optionalMedian(peer.compactMap(figure)), own > 0, peer > 0
            else { return nil }
            return isMoreBetter ? own / peer : peer / own
        }
        let rounds = Set(own.compactMap(\.round)).intersection(peer.compactMap(\.round))
        let each = rounds.compactMap { round in
            times(own.filter { $0.round == round }, peer.filter { $0.round == round })
        }
        return optionalMedian(each) ?? times(own, peer)
    }

    /// Of what is counted by the second more is better, of all else less.
    private static func isMoreBetter(_ unit: String) -> Bool { unit.hasSuffix("/s") }

    private static func optionalMedian(_ numbers: [Double]) -> Double? {
        numbers.isEmpty ? nil : median(numbers)
    }

    /// In the middle, or halfway between the two that are.
    static func median(_ numbers: [Double]) -> Double {
        let sorted = numbers.sorted()
        let half = sorted.count / 2
        guard !sorted.isEmpty else { return 0 }
        return sorted.count % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2
    }
}

extension Comparison.Row {
    var fields: [Field] {
        var fields = [
            Field("measure", .text(work.measure)), Field("unit", .text(work.unit)),
            Field("amount", .text(work.amount)), Field("system", .text(way.system)),
            Field("way", .text(way.details)), Field("lines", .count(lineCount)),
            Field("median", .number(median)), Field("low", .number(lowest)),
            Field("high", .number(highest)),
        ]
        if let p99 { fields.append(Field("p99", .number(p99))) }
        guard let standing else { return fields }
        fields += [
            Field("peer", .text("\(standing.peer.system) \(standing.peer.details)".trimmed)),
            Field("times_better", .number(standing.timesBetter)),
        ]
        if let times = standing.timesBetterAtP99 {
            fields.append(Field("times_better_p99", .number(times)))
        }
        return fields
    }
}
