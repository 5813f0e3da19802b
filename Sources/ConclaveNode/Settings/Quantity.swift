import ConclaveBase

/// Lengths of time and sizes as people write them: a whole number and a unit, `100ms`, `8KiB`.
enum Quantity {
    private static let timeUnits: [(name: String, nanoseconds: Int64)] = [
        ("us", 1_000), ("ms", 1_000_000), ("s", 1_000_000_000), ("m", 60_000_000_000),
        ("h", 3_600_000_000_000),
    ]
    private static let sizeUnits: [(name: String, byteCount: Int64)] = [
        ("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30),
    ]

    static func interval(_ text: String) -> Interval? {
        product(text, units: timeUnits.map { ($0.name, $0.nanoseconds) })
            .map(Interval.init(nanoseconds:))
    }

    static func byteCount(_ text: String) -> Int? {
        product(text, units: sizeUnits.map { ($0.name, $0.byteCount) }).map(Int.init)
    }

    /// In the largest unit that gives a whole number.
    static func text(_ interval: Interval) -> String {
        let unit = timeUnits.last { interval.nanoseconds % $0.nanoseconds == 0 }
        guard let unit, interval.nanoseconds != 0 else {
            return "\(interval.nanoseconds / 1_000)us"
        }
        return "\(interval.nanoseconds / unit.nanoseconds)\(unit.name)"
    }

    static func text(byteCount: Int) -> String {
        let unit = sizeUnits.last { Int64(byteCount) % $0.byteCount == 0 }
        guard let unit, byteCount != 0 else { return "\(byteCount)B" }
        return "\(Int64(byteCount) / unit.byteCount)\(unit.name)"
    }

    private static func product(_ text: String, units: [(String, Int64)]) -> Int64? {
        let digits = text.prefix { $0.isASCII && $0.isWholeNumber }
        let rest = text[digits.endIndex...].drop { $0 == " " }
        guard let number = Int64(digits), let unit = units.first(where: { $0.0 == rest }) else {
            return nil
        }
        let (product, overflow) = number.multipliedReportingOverflow(by: unit.1)
        return overflow ? nil : product
    }
}
