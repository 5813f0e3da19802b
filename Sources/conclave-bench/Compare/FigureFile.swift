import Glibc

/// Figures as the measuring programs print them, one JSON object a line.
enum FigureFile {
    static let wrongLine: Int32 = 65
    static let unreadable: Int32 = 66

    static func lines(in path: String) throws -> [FigureLine] {
        try lines(of: try read(path), named: path)
    }

    /// - Parameter name: Begins what is said of a line that cannot be.
    static func lines(of text: String, named name: String) throws -> [FigureLine] {
        let lines = text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" }
        return try lines.enumerated().compactMap { index, line in
            guard !line.allSatisfy(\.isWhitespace) else { return nil }
            do {
                return try FigureLine(try JSONLine(line))
            } catch let fault as JSONLine.Fault {
                throw BenchFailure(
                    "\(name):\(index + 1): \(fault.message)", code: wrongLine)
            }
        }
    }

    private static func read(_ path: String) throws -> String {
        func failure() -> BenchFailure {
            BenchFailure(
                "cannot read \(path): \(unsafe String(cString: strerror(errno)))",
                code: unreadable)
        }
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw failure() }
        defer { close(file) }
        var all: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = unsafe Glibc.read(file, &part, part.count)
            guard count >= 0 else { throw failure() }
            if count == 0 { return String(decoding: all, as: UTF8.self) }
            all += part.prefix(count)
        }
    }
}
