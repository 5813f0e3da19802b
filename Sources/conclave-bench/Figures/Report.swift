import Glibc

/// A member of a line of JSON.
struct Field {
    enum Value {
        case text(String)
        case count(Int)
        /// Two digits after the point.
        case number(Double)
    }

    var name: String
    var value: Value

    init(_ name: String, _ value: Value) {
        self.name = name
        self.value = value
    }

    var json: String { "\"\(name)\":\(text(quoted: true))" }

    func text(quoted: Bool) -> String {
        switch value {
        case .text(let text): quoted ? "\"\(Self.escaped(text))\"" : text
        case .count(let count): "\(count)"
        case .number(let number): Self.rounded(number)
        }
    }

    private static func escaped(_ text: String) -> String {
        text.unicodeScalars.reduce(into: "") { escaped, scalar in
            switch scalar {
            case "\"", "\\": escaped += "\\\(scalar)"
            case ..<" ":
                let digits = String(scalar.value, radix: 16)
                escaped += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: escaped.unicodeScalars.append(scalar)
            }
        }
    }

    /// - Parameter digits: After the point.
    static func rounded(_ number: Double, digits: Int = 2) -> String {
        let unit = (0..<digits).reduce(Int64(1)) { power, _ in power * 10 }
        let scaled = (number.magnitude * Double(unit)).rounded()
        guard let parts = Int64(exactly: scaled) else { return "\(number)" }
        let sign = number < 0 && parts > 0 ? "-" : ""
        guard digits > 0 else { return "\(sign)\(parts)" }
        let rest = String(parts % unit)
        let zeros = String(repeating: "0", count: digits - rest.count)
        return "\(sign)\(parts / unit).\(zeros)\(rest)"
    }
}

/// Prints the figures: a line of JSON each, or a line to read.
struct Report {
    var json: Bool
    /// Stands on every line.
    var common: [Field]

    func with(_ more: [Field]) -> Report {
        Report(json: json, common: common + more)
    }

    /// The distribution of `samples`, in `unit`: us or ms.
    func distribution(_ measure: String, _ unit: Unit, _ samples: Samples, _ how: [Field]) {
        let figures = [
            Field("n", .count(samples.count)),
            Field("p50", .number(samples.percentile(50) / unit.nanoseconds)),
            Field("p99", .number(samples.percentile(99) / unit.nanoseconds)),
            Field("p999", .number(samples.percentile(99.9) / unit.nanoseconds)),
            Field("min", .number(samples.minimum / unit.nanoseconds)),
            Field("max", .number(samples.maximum / unit.nanoseconds)),
            Field("mean", .number(samples.mean / unit.nanoseconds)),
        ]
        line(measure, unit.name, figures, how)
    }

    func value(_ measure: String, _ unit: String, _ value: Double, _ how: [Field]) {
        line(measure, unit, [Field("value", .number(value))], how)
    }

    /// The line about the run as a whole, which the peers' summary begins with.
    func describe(directory: String) {
        guard json else { return }
        let about = Machine.description + [Field("fs", .text(Machine.fileSystem(of: directory)))]
        Output.standard(Self.object(Self.head("run", "") + about))
    }

    private func line(_ measure: String, _ unit: String, _ figures: [Field], _ how: [Field]) {
        if json {
            // What a measure took anew stands in the place of what was taken before it.
            let kept = common.filter { field in !how.contains { $0.name == field.name } }
            Output.standard(Self.object(Self.head(measure, unit) + figures + how + kept))
        } else {
            let name = measure + String(repeating: " ", count: max(1, 24 - measure.count))
            let words = (figures + how).map { "\($0.name) \($0.text(quoted: false))" }
            Output.standard("\(name)\(words.joined(separator: "  ")) (\(unit))")
        }
    }

    private static func head(_ measure: String, _ unit: String) -> [Field] {
        [
            Field("system", .text("conclave")), Field("measure", .text(measure)),
            Field("unit", .text(unit)),
        ]
    }

    static func object(_ fields: [Field]) -> String {
        "{\(fields.map(\.json).joined(separator: ","))}"
    }
}

struct Unit {
    var name: String
    var nanoseconds: Double

    static let microseconds = Unit(name: "us", nanoseconds: 1e3)
    static let milliseconds = Unit(name: "ms", nanoseconds: 1e6)
}
