import Glibc

/// What the kernel refused, and why.
struct SystemFailure: Error, CustomStringConvertible {
    let description: String

    init(_ what: String, number: Int32 = errno) {
        description = unsafe "\(what): \(String(cString: strerror(number)))"
    }
}
