import Glibc

/// What went wrong, in a sentence.
public struct Failure: Error, CustomStringConvertible {
    public let description: String

    public init(_ description: String) {
        self.description = description
    }

    /// With what the kernel says of the last call.
    public init(failed action: String) {
        description = "\(action): \(String(cString: strerror(errno)))"
    }
}

/// Prints a line at once, also where a file or a pipe reads it.
public func say(_ line: String) {
    print(line)
    fflush(nil)
}
