import ConclaveBase
import ConclaveCoordination

/// Whether a run works with keys of the configuration beside what else its clients do, and how
/// little of their history the group keeps.
struct KeyTraffic {
    /// Seats behind all others: so many change keys, and so many watch them.
    var writerCount: Int
    var watcherCount: Int
    var historyCount: Int
    var historyByteCount: Int
    /// What a watcher is told comes in pieces of so many keys.
    var keysPerPiece: Int
    /// Bounds of what is stored that some runs meet.
    var valueByteCountPerUID: Int?
    var ephemeralKeysPerSession: Int?
    /// For the seats.
    var random: SeededRandom

    /// From numbers of its own: runs without keys are as they were before there were any.
    static func drawn(seed: UInt64, workload: Workload) -> KeyTraffic? {
        var random = SeededRandom(seed: seed ^ 0x6B65_7973_2121_0000)
        let isWanted = workload == .configuration
        let isPossible = workload == .mixed && random.chance(perMille: 350)
        guard isWanted || isPossible else { return nil }
        var traffic = KeyTraffic(
            writerCount: 1 + Int(random.below(3)), watcherCount: 1 + Int(random.below(3)),
            historyCount: WorldShape.pick([3, 12, 60, 65_536], &random),
            historyByteCount: WorldShape.pick([300, 2_000, 32 << 20, 32 << 20], &random),
            keysPerPiece: WorldShape.pick([1, 2, 1_000], &random), valueByteCountPerUID: nil,
            ephemeralKeysPerSession: nil, random: random.split())
        // Whoever has missed one change is where the history begins, and with two it is gone.
        var other = SeededRandom(seed: seed ^ 0x6F6E_6563_6861_6E67)
        if other.chance(perMille: 120) { traffic.historyCount = 1 }
        if isWanted {
            traffic.writerCount += 1
            traffic.watcherCount += 1
        }
        if random.chance(perMille: 100) {
            traffic.valueByteCountPerUID = 60 + Int(random.below(300))
        }
        if random.chance(perMille: 100) {
            traffic.ephemeralKeysPerSession = 1 + Int(random.below(3))
        }
        return traffic
    }

    var seatCount: Int { writerCount + watcherCount }

    /// What bounds a user's keys bounds what its leaders announce and its barriers carry as well.
    var boundsValues: Bool { valueByteCountPerUID != nil }

    var hasQuotas: Bool { valueByteCountPerUID != nil || ephemeralKeysPerSession != nil }

    func bound(_ quotas: inout Quotas) {
        quotas.keyHistoryCount = historyCount
        quotas.keyHistoryByteCount = historyByteCount
        if let valueByteCountPerUID { quotas.valueByteCountPerUID = valueByteCountPerUID }
        if let ephemeralKeysPerSession {
            quotas.ephemeralKeysPerSession = ephemeralKeysPerSession
        }
    }
}
