import ConclaveSimulation
import Glibc

/// Histories that processes wrote to files: together they are one.
struct HistoryFiles {
    enum Fault: Error, CustomStringConvertible {
        case unreadable(path: String, number: Int32)
        case invalid(HistoryError)

        var description: String {
            switch self {
            case .unreadable(let path, let number): "\(path) cannot be read: error \(number)"
            case .invalid(let error): "no history: \(error)"
            }
        }
    }

    private static let chunkByteCount = 1 << 20

    var paths: [String]

    /// Checks all objects and prints what was found; returns whether nothing was. What is too much
    /// to decide counts as nothing found, and is named.
    func check() throws -> Bool {
        var lines: [Substring] = []
        for path in paths {
            let text = String(decoding: try bytes(of: path), as: UTF8.self)
            lines += text.split(separator: "\n")
        }
        var checker: HistoryChecker
        do {
            checker = HistoryChecker(try History(lines: lines))
        } catch {
            throw Fault.invalid(error)
        }
        do {
            try checker.check()
        } catch {
            print("\(error.promise.rawValue) is broken: \(error.message)")
            return false
        }
        print(
            "nothing found: \(lines.count) events of \(checker.objectCount) objects, "
                + "\(checker.stepCount) steps, \(checker.undecidedCount) objects undecided")
        return true
    }

    private func bytes(of path: String) throws(Fault) -> [UInt8] {
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw .unreadable(path: path, number: errno) }
        defer { close(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: Self.chunkByteCount)
        while true {
            let count = unsafe chunk.withUnsafeMutableBytes {
                unsafe read(file, $0.baseAddress, $0.count)
            }
            guard count >= 0 else { throw .unreadable(path: path, number: errno) }
            if count == 0 { return bytes }
            bytes += chunk[..<count]
        }
    }
}
