import ArgumentParser
import Glibc

/// Parses the command line and ends with its exit code. What was started is stopped in any case.
enum BenchProgram {
    static func run() -> Int32 {
        do {
            var command = try BenchCommand.parseAsRoot()
            try command.run()
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
