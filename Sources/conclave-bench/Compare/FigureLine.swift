/// What one line of figures says: which system did what, how, and how well.
struct FigureLine: Equatable {
    /// What lines must have alike to be compared.
    struct Work: Hashable {
        var measure: String
        var unit: String
        /// How much of what, as `workers 64`.
        var amount: String
    }

    /// How a system did it: where its clients were connected, how durable it was, and so on.
    struct Way: Hashable {
        var system: String
        var details: String
    }

    var work: Work
    var way: Way
    /// The median, or the only value.
    var main: Double
    var p99: Double?
    /// `nil`: it is not said.
    var round: Int?

    /// Names of members by which work differs.
    private static let amounts = [
        "workers", "parties", "waiting", "bytes", "members", "senders", "offered", "objects",
        "held", "watchers",
    ]
    /// Members that tell what came out, or what the machine was like.
    private static let outcomes: Set<String> = [
        "system", "measure", "unit", "n", "p50", "p99", "p999", "min", "max", "mean", "value",
        "round", "how", "foreign_cpu", "client_cpu", "server_cpu_per10k", "idle", "left",
        "znodes", "bytes_per_lock", "longest_before_ms", "errors", "timeouts", "sessions_lost",
        "violations", "victim", "mb_s", "own_share", "fsync_us", "uds_us", "fs", "late_us",
        "unsent", "resyncs", "daemons", "taking_s", "fdatasync_per_s", "rate", "rate_unit",
    ]
    /// What closed process groups do, by the name of the same thing here.
    private static let otherNames = [
        "cpg.latency": "mcast.latency", "cpg.rate": "mcast.rate",
        "cpg.process_kill": "mcast.kill9",
    ]

    /// `nil`: the line is about a run as a whole.
    init?(_ line: JSONLine) throws(JSONLine.Fault) {
        func text(_ name: String) throws(JSONLine.Fault) -> String {
            guard let text = line.text(name) else {
                throw JSONLine.Fault(message: "the text \"\(name)\" is missing")
            }
            return text
        }
        let (system, measure) = (try text("system"), try text("measure"))
        if measure == "run" { return nil }
        guard let main = line.number("p50") ?? line.number("value") else {
            throw JSONLine.Fault(message: "neither \"p50\" nor \"value\" is a number")
        }
        work = Work(
            measure: Self.otherNames[measure] ?? measure, unit: try text("unit"),
            amount: Self.words(line) { Self.amounts.contains($0) })
        way = Way(
            system: system,
            details: Self.words(line) {
                !Self.amounts.contains($0) && !Self.outcomes.contains($0)
            })
        self.main = main
        p99 = line.number("p99")
        round = line.number("round").flatMap { Int(exactly: $0) }
    }

    private static func words(_ line: JSONLine, _ isWanted: (String) -> Bool) -> String {
        line.members.filter { isWanted($0.key) }.sorted { $0.key < $1.key }.map { name, value in
            switch value {
            case .text(let text): "\(name) \(text)"
            case .number(let number): "\(name) \(FigureText.short(number))"
            case .truth(let isTrue): "\(name) \(isTrue)"
            case .null: name
            }
        }.joined(separator: ", ")
    }
}

/// Numbers for people.
enum FigureText {
    /// Without digits after the point where there are none.
    static func short(_ number: Double) -> String {
        Int(exactly: number).map { "\($0)" } ?? rounded(number)
    }

    /// Two digits after the point below a hundred, none above.
    static func rounded(_ number: Double) -> String {
        guard number.magnitude < 100 else { return Field.rounded(number, digits: 0) }
        return Field.rounded(number, digits: 2)
    }
}
