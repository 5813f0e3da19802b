/// Rows of text in columns as wide as their widest field.
struct Table {
    private let titles: [String]
    private var rows: [[String]] = []

    init(_ titles: String...) {
        self.titles = titles
    }

    /// - Precondition: as many fields as there are titles.
    mutating func add(_ fields: String...) {
        precondition(fields.count == titles.count)
        rows.append(fields.map { $0.isEmpty ? "-" : $0.shown })
    }

    var text: String {
        let lines = [titles] + rows
        let widths = titles.indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
        return lines.map { Self.line($0, widths) }.joined(separator: "\n")
    }

    private static func line(_ fields: [String], _ widths: [Int]) -> String {
        var line = ""
        for (field, width) in zip(fields, widths) {
            line += field + String(repeating: " ", count: width - field.count + 2)
        }
        while line.last == " " { line.removeLast() }
        return line
    }
}
