/// The rows of a comparison as text, in columns.
struct ComparisonTable {
    private static let head = [
        "measure", "unit", "of", "system", "way", "lines", "median", "low", "high", "p99",
        "better", "at p99", "than",
    ]
    /// Of these columns the right edge is even.
    private static let numbers = 5..<12

    let text: String

    init(_ rows: [Comparison.Row]) {
        let cells = [Self.head] + rows.map { Self.cells($0).map(Self.printable) }
        let widths = Self.head.indices.map { column in cells.map { $0[column].count }.max() ?? 0 }
        text = cells.map { row in
            let padded = row.enumerated().map { column, cell in
                let space = String(repeating: " ", count: widths[column] - cell.count)
                return Self.numbers.contains(column) ? space + cell : cell + space
            }
            let line = padded.joined(separator: "  ")
            return String(line.reversed().drop { $0 == " " }.reversed())
        }.joined(separator: "\n")
    }

    /// With nobody's control characters.
    private static func printable(_ cell: String) -> String {
        String(
            String.UnicodeScalarView(
                cell.unicodeScalars.map { $0.properties.generalCategory == .control ? "?" : $0 }))
    }

    private static func cells(_ row: Comparison.Row) -> [String] {
        let times = row.standing.map { FigureText.rounded($0.timesBetter) + "x" }
        let timesAtP99 = row.standing?.timesBetterAtP99.map { FigureText.rounded($0) + "x" }
        return [
            row.work.measure, row.work.unit, row.work.amount, row.way.system, row.way.details,
            "\(row.lineCount)", FigureText.rounded(row.median), FigureText.rounded(row.lowest),
            FigureText.rounded(row.highest), row.p99.map(FigureText.rounded) ?? "", times ?? "",
            timesAtP99 ?? "", row.standing?.peer.system ?? "",
        ]
    }
}
