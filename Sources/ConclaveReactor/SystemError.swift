import CConclaveLinux

/// A system call that failed, with its errno.
package struct SystemError: Error, Equatable, Sendable, CustomStringConvertible {
    package var call: String
    package var number: Int32

    package init(call: String, number: Int32) {
        self.call = call
        self.number = number
    }

    /// What the number means, in words.
    package var meaning: String {
        unsafe String(cString: conclave_linux_error_text(number))
    }

    package var description: String { "\(call): \(meaning)" }

    /// The result of a shim: what it counts or made, or the negated errno.
    static func check<Result: SignedInteger>(
        _ result: Result, _ call: StaticString
    ) throws(SystemError) -> Result {
        guard result < 0 else { return result }
        throw SystemError(call: "\(call)", number: Int32(-result))
    }
}
