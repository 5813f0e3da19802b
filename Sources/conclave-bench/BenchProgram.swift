import ArgumentParser
import Glibc

/// Parses the command line and ends with its exit code. What was started is stopped in any case.
enum BenchProgram {
    static func run() -> Int32 {
        do {
            try runCommand()
            return 0
        } catch let failure as BenchFailure {
            Output.error(failure.message)
            return failure.code
        } catch {
            let code = BenchCommand.exitCode(for: error).rawValue
            if code == 0 {
                Output.standard(BenchCommand.fullMessage(for: error))
            } else {
                Output.error(BenchCommand.message(for: error))
            }
            return code
        }
    }

    /// What some measures kill is this program too, in a process of its own.
    private static func runCommand() throws {
        let arguments = CommandLine.arguments.dropFirst()
        let rest = Array(arguments.dropFirst())
        switch arguments.first {
        case CandidateCommand.name: try CandidateCommand.parse(rest).run()
        case PartyCommand.name: try PartyCommand.parse(rest).run()
        default: try BenchCommand.parse().run()
        }
    }
}

struct BenchFailure: Error {
    var message: String
    var code: Int32 = 1

    init(_ message: String, code: Int32 = 1) {
        self.message = message
        self.code = code
    }

    static let interrupted = BenchFailure("interrupted", code: 130)
}

enum Output {
    static func standard(_ line: String) {
        print(line)
        fflush(nil)
    }

    static func error(_ message: String) {
        let line = Array("conclave-bench: \(message)\n".utf8)
        _ = unsafe line.withUnsafeBytes { unsafe write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }
}
