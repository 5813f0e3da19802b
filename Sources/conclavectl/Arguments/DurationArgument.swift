import ArgumentParser

/// A length of time as it is written on the command line: `250ms`, `30s`, `5m`, `2h`; a bare number
/// is seconds.
struct DurationArgument: ExpressibleByArgument, Equatable {
    var duration: Duration

    private static let units: [(suffix: String, milliseconds: Int64)] = [
        ("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000),
    ]

    init(duration: Duration) {
        self.duration = duration
    }

    init?(argument: String) {
        let digits = argument.prefix { $0.isASCII && $0.isNumber }
        let suffix = argument.dropFirst(digits.count)
        guard let count = Int64(digits) else { return nil }
        let unit =
            suffix.isEmpty ? 1_000 : Self.units.first { $0.suffix == suffix }?.milliseconds
        guard let unit else { return nil }
        let (milliseconds, overflow) = count.multipliedReportingOverflow(by: unit)
        guard !overflow else { return nil }
        duration = .milliseconds(milliseconds)
    }
}

extension DurationArgument: CustomStringConvertible {
    /// As it is given, for the defaults that the help shows.
    var description: String {
        let milliseconds = duration.milliseconds
        let unit = Self.units.last { milliseconds % $0.milliseconds == 0 }
        return unit.map { "\(milliseconds / $0.milliseconds)\($0.suffix)" } ?? "\(milliseconds)ms"
    }
}
