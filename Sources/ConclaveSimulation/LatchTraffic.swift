import ConclaveBase
import ConclaveCoordination

/// Whether clients of a run count latches down beside what else is done.
struct LatchTraffic {
    /// With their counts.
    static let latches: KeyValuePairs<String, UInt32> = ["latch/0": 1, "latch/1": 3, "job": 8]
    static let prefixes = ["", "latch/", "latch/1", "j"]

    /// Seats behind all others.
    var seatCount: Int
    /// A bound that some runs meet.
    var latchesPerUID: Int?
    /// For the seats.
    var random: SeededRandom

    /// From numbers of its own: runs without latches are as they were before there were any.
    static func drawn(seed: UInt64, workload: Workload) -> LatchTraffic? {
        var random = SeededRandom(seed: seed ^ 0x6C61_7463_6865_7321)
        let isWanted = workload == .latches
        let isPossible = workload == .mixed && random.chance(perMille: 200)
        guard isWanted || isPossible else { return nil }
        var traffic = LatchTraffic(seatCount: 2 + Int(random.below(4)), random: random.split())
        if random.chance(perMille: 150) { traffic.latchesPerUID = 1 + Int(random.below(2)) }
        return traffic
    }

    func bound(_ quotas: inout Quotas) {
        if let latchesPerUID { quotas.latchesPerUID = latchesPerUID }
    }
}
