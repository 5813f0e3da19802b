import CConclaveLinux
import Glibc

/// What the kernel refused, as an errno.
struct SystemError: Error, Equatable, CustomStringConvertible {
    var number: Int32

    /// Gives back a result that is not negative; a negative one is a negated errno.
    static func check(_ result: Int32) throws(SystemError) -> Int32 {
        guard result >= 0 else { throw SystemError(number: -result) }
        return result
    }

    var isTemporary: Bool { number == EAGAIN || number == EINTR }

    var description: String { unsafe String(cString: conclave_linux_error_text(number)) }
}
