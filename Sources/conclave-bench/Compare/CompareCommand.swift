import ArgumentParser

struct CompareCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare",
        abstract: "Prints one table of figures from several systems and rounds.",
        discussion: """
            Reads what 'conclave-bench --json' and Tests/peers print: one JSON object a line, with \
            system, measure, unit, and p50 or value. Lines of the same work (measure, unit, and \
            how much of it: workers, parties, bytes and so on) done in the same way (system, \
            durability, where clients were connected and so on) are one row: the median over its \
            lines, the lowest and the highest, and the median of the p99.

            Conclave's rows say how many times better it is than the best of the others at the \
            same work, whatever way that is done in: below 1 it is worse. Per second more is \
            better, else less. Where lines are marked with a round, it is the median of the \
            rounds' own ratios, since what runs at about the same time has the same machine.

              conclave-bench compare figures.jsonl
              Tests/peers --rounds 3 | conclave-bench compare /dev/stdin

            Exit codes: 0; 64 wrong usage; 65 a line is no figure: it is named; 66 a file cannot \
            be read.
            """)

    @Flag(help: "Print JSON, one row a line.")
    var json = false

    @Argument(help: "Files of figures.")
    var files: [String]

    func run() throws {
        let lines = try files.flatMap { try FigureFile.lines(in: $0) }
        guard !lines.isEmpty else {
            throw BenchFailure(
                "no figures in \(files.joined(separator: ", "))", code: FigureFile.wrongLine)
        }
        let rows = Comparison(lines).rows
        if json {
            for row in rows { Output.standard(Report.object(row.fields)) }
        } else {
            Output.standard(ComparisonTable(rows).text)
        }
    }
}
