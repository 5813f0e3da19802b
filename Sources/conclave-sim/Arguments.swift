public import ArgumentParser
import ConclaveBase
import ConclaveSimulation

extension Workload: ExpressibleByArgument {}

extension Plant: ExpressibleByArgument {}

/// A length of simulated time as people write it: a number and `ms`, `s`, `m` or `h`; seconds if
/// there is no unit.
struct SimulatedDuration: ExpressibleByArgument, CustomStringConvertible {
    var interval: Interval

    private static let units: [(suffix: String, unit: Interval)] = [
        ("ms", .milliseconds(1)), ("s", .seconds(1)), ("m", .seconds(60)), ("h", .seconds(3_600)),
        ("", .seconds(1)),
    ]

    init(interval: Interval) {
        self.interval = interval
    }

    init?(argument: String) {
        for (suffix, unit) in Self.units where argument.hasSuffix(suffix) {
            guard let number = Int64(argument.dropLast(suffix.count)), number > 0 else {
                return nil
            }
            interval = unit * number
            return
        }
        return nil
    }

    var description: String {
        interval.nanoseconds % 1_000_000_000 == 0
            ? "\(interval.nanoseconds / 1_000_000_000)s" : "\(interval.milliseconds)ms"
    }
}

/// The kinds of faults that a run may draw from.
struct FaultChoice: ExpressibleByArgument, CustomStringConvertible {
    var kinds: [FaultKind]

    init(kinds: [FaultKind]) {
        self.kinds = kinds
    }

    init?(argument: String) {
        guard argument != "none" else {
            kinds = []
            return
        }
        kinds = []
        for name in argument.split(separator: ",", omittingEmptySubsequences: false) {
            guard let kind = FaultKind(rawValue: String(name)) else { return nil }
            kinds.append(kind)
        }
    }

    var description: String {
        kinds.isEmpty ? "none" : kinds.map(\.rawValue).joined(separator: ",")
    }
}
