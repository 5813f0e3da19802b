import Glibc

/// What the kernel refused, and why.
struct SystemFailure: Error, CustomStringConvertible {
    let description: String

    init(_ what: String) {
        description = unsafe "\(what): \(String(cString: strerror(errno)))"
    }
}
