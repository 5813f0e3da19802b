import Glibc

/// The two streams of the program. A reader that went away ends it like any other filter.
enum Output {
    static func standard(_ line: String) {
        write(line, to: STDOUT_FILENO)
    }

    static func standard(bytes: [UInt8]) {
        write(bytes, to: STDOUT_FILENO)
    }

    /// One line that says who speaks.
    static func error(_ message: String) {
        write("conclave: \(message.onOneLine)", to: STDERR_FILENO)
    }

    /// A line as it is, such as an object of JSON, beside a child that owns the standard output.
    static func standardError(_ line: String) {
        write(line, to: STDERR_FILENO)
    }

    private static func write(_ line: String, to descriptor: Int32) {
        write(Array((line + "\n").utf8), to: descriptor)
    }

    private static func write(_ bytes: [UInt8], to descriptor: Int32) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes { bytes in
                unsafe Glibc.write(descriptor, bytes.baseAddress, bytes.count)
            }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if errno != EINTR {
                return
            }
        }
    }
}

extension String {
    var onOneLine: String {
        split(whereSeparator: \.isNewline).joined(separator: " ")
    }

    /// Safe to show on a terminal: what somebody else wrote may hold control characters.
    var shown: String {
        String(String.UnicodeScalarView(unicodeScalars.map { $0.isControl ? "?" : $0 }))
    }
}

extension Unicode.Scalar {
    /// C0, DEL and C1.
    fileprivate var isControl: Bool { value < 0x20 || (0x7F...0x9F).contains(value) }
}
