import ConclaveBase
import ConclaveSimulation

/// Shows how runs went: to people, who need only what was found, or to programs.
struct ReportPrinter {
    let isJSON: Bool
    /// What a replay needs besides the seed.
    let options: String
    private var runCount = 0
    private var brokenSeeds: [UInt64] = []
    private var simulated = Interval.zero
    private var took = Duration.zero
    private var sums: (steps: UInt64, views: Int, crashes: Int, requests: Int) = (0, 0, 0, 0)
    /// Objects whose history took too much to decide.
    private var undecidedCount = 0
    private var operatorCount = 0

    init(isJSON: Bool, options: String) {
        self.isJSON = isJSON
        self.options = options
    }

    mutating func show(_ result: Campaign.Result) {
        add(result)
        let report = result.report
        for line in report.trace { print(line) }
        if isJSON {
            print(json(of: result))
        } else if let violation = report.violation {
            print(
                "\(violation.promise.rawValue) broken with seed \(report.seed): \(violation.message)"
            )
            print("  conclave-sim --seed \(report.seed)\(options)")
            if result.isNotOfPlant {
                print("  and so is it without the planted bug: no find of it")
            }
        }
    }

    private mutating func add(_ result: Campaign.Result) {
        let report = result.report
        runCount += 1
        if report.violation != nil { brokenSeeds.append(report.seed) }
        simulated = simulated + report.simulated
        took += result.took
        sums.steps += report.stepCount
        sums.views += report.viewCount
        sums.crashes += report.crashCount
        sums.requests += report.requestCount
        undecidedCount += report.undecidedCount
        if report.neededOperator { operatorCount += 1 }
    }

    func showSum() {
        let (steps, views, crashes, requests) = sums
        if isJSON {
            print(
                """
                {"seeds":\(runCount),"broken":\(brokenSeeds),"steps":\(steps),\
                "simulatedSeconds":\(Self.seconds(simulated)),"realSeconds":\(Self.seconds(took)),\
                "views":\(views),"crashes":\(crashes),"requests":\(requests),\
                "undecided":\(undecidedCount),"neededOperator":\(operatorCount)}
                """)
            return
        }
        let found = brokenSeeds.isEmpty ? "nothing found" : "\(brokenSeeds.count) broken"
        print(
            """
            \(runCount) seeds, \(found): \(Self.seconds(simulated)) s simulated in \
            \(Self.seconds(took)) s, \(steps) steps, \(views) views, \(crashes) crashes, \
            \(requests) requests\(undecidedCount > 0 ? ", \(undecidedCount) objects undecided" : "")\
            \(operatorCount > 0 ? ", \(operatorCount) ended where only an operator could help" : "")
            """)
    }

    private func json(of result: Campaign.Result) -> String {
        let report = result.report
        let promise = report.violation.map { "\"\($0.promise.rawValue)\"" } ?? "null"
        let message = report.violation.map { ",\"message\":\(Self.quoted($0.message))" } ?? ""
        let verdict =
            report.violation != nil ? "broken" : report.neededOperator ? "needsOperator" : "kept"
        return """
            {"seed":\(report.seed),"verdict":"\(verdict)",\
            "promise":\(promise)\(message),"steps":\(report.stepCount),\
            "simulatedSeconds":\(Self.seconds(report.simulated)),\
            "realSeconds":\(Self.seconds(result.took)),"views":\(report.viewCount),\
            "crashes":\(report.crashCount),"requests":\(report.requestCount),\
            "undecided":\(report.undecidedCount),\
            "digest":"\(Self.hexadecimal(report.digest))"}
            """
    }

    private static func hexadecimal(_ number: UInt64) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case _ where scalar.value < 0x20: result += " "
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }

    private static func seconds(_ interval: Interval) -> String {
        decimal(milliseconds: interval.milliseconds)
    }

    private static func seconds(_ duration: Duration) -> String {
        let (seconds, attoseconds) = duration.components
        return decimal(milliseconds: seconds * 1_000 + attoseconds / 1_000_000_000_000_000)
    }

    private static func decimal(milliseconds: Int64) -> String {
        let fraction = String(milliseconds % 1_000)
        let zeros = String(repeating: "0", count: 3 - fraction.count)
        return "\(milliseconds / 1_000).\(zeros)\(fraction)"
    }
}
