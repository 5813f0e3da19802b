import ConclaveBase

/// Which faults come, when, and for how long: a seed decides.
struct HostSchedule {
    struct Entry {
        var fault: HostFault
        /// From the fault before to this one.
        var pause: Double
        var duration: Double
    }

    private let count: UInt64
    private var random: SeededRandom

    init(seed: UInt64, members count: Int) {
        self.count = UInt64(count)
        random = SeededRandom(seed: seed)
    }

    mutating func next() -> Entry {
        let fault = drawFault()
        let longest: UInt64 =
            switch fault {
            case .allKilled: 1_000
            case .killed, .journalDamaged: 3_000
            case .clientsKilled: 1
            case .diskFull: 5_000
            default: random.chance(perMille: 300) ? 9_000 : 2_500
            }
        return Entry(
            fault: fault, pause: seconds(from: 300, to: 4_000),
            duration: seconds(from: min(100, longest - 1), to: longest))
    }

    private mutating func drawFault() -> HostFault {
        switch random.below(24) {
        case 0, 1: return .linkDown(node(), atBridge: random.chance(perMille: 500))
        case 2, 3: return pair { .cut($0, $1) }
        case 4...6: return pair { .oneWayCut(from: $0, to: $1) }
        case 7: return .isolated(node())
        case 8: return .deaf(node())
        case 9: return .mute(node())
        case 10...13: return .killed(node())
        case 14: return .allKilled
        case 15...18: return .paused(node())
        case 19, 20: return .diskFull(node())
        case 21: return .journalDamaged(node())
        default: return .clientsKilled(node())
        }
    }

    mutating func number(below bound: Int) -> Int { Int(random.below(UInt64(bound))) }

    private mutating func node() -> Int { 1 + Int(random.below(count)) }

    private mutating func pair(_ fault: (Int, Int) -> HostFault) -> HostFault {
        let one = random.below(count)
        let other = (one + 1 + random.below(count - 1)) % count
        return fault(1 + Int(one), 1 + Int(other))
    }

    private mutating func seconds(from least: UInt64, to most: UInt64) -> Double {
        Double(least + random.below(most - least)) / 1_000
    }
}
