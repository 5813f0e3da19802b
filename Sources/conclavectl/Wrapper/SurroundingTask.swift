import Conclave
import Glibc

/// The command of another `conclave` that this program is part of: that one's lock is given up only
/// when this program has ended.
enum SurroundingTask {
    static let variable = "CONCLAVE_TASK"

    /// `nil`: there is none.
    static func find() throws -> TaskPath? {
        guard let text = unsafe getenv(variable) else { return nil }
        let words = unsafe String(cString: text)
        if words.isEmpty { return nil }
        guard let path = TaskPath(words) else {
            Output.error("\(variable) is not what 'conclave' sets: \(words.shown); unset it")
            throw ExitStatus(ExitStatus.usage)
        }
        return path
    }
}
