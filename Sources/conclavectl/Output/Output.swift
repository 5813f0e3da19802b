import Glibc

/// The two streams of the program. A reader that went away ends it like any other filter; a standard
/// output that cannot be written to ends it at once: whoever reads it must not take a part for the
/// whole.
enum Output {
    static func standard(_ line: String) {
        standard(bytes: line.asLine)
    }

    static func standard(bytes: [UInt8]) {
        let fault = write(bytes, to: STDOUT_FILENO)
        guard fault != 0, fault != EPIPE else { return }
        let reason = unsafe String(cString: strerror(fault))
        error("cannot print: \(reason); what is missing was not told, what was done is done")
        // Nothing is held by whoever prints, or ends with the process.
        _exit(ExitStatus.notPrinted)
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
        _ = write(line.asLine, to: descriptor)
    }

    /// - Returns: Why it is not all written; 0: it is.
    static func write(_ bytes: [UInt8], to descriptor: Int32) -> Int32 {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes { bytes in
                unsafe Glibc.write(descriptor, bytes.baseAddress, bytes.count)
            }
            let fault = errno
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if fault == EAGAIN {
                // Whoever has it in common with us wants it not to wait.
                waitUntilWritable(descriptor)
            } else if fault != EINTR {
                return fault
            }
        }
        return 0
    }
}

extension String {
    fileprivate var asLine: [UInt8] { Array((self + "\n").utf8) }

    var onOneLine: String {
        split(whereSeparator: \.isNewline).joined(separator: " ")
    }

    /// Safe to show on a terminal: what somebody else wrote may hold characters that control it, end
    /// the line, or turn what follows round.
    var shown: String {
        String(String.UnicodeScalarView(unicodeScalars.map { $0.isDisturbing ? "?" : $0 }))
    }
}

extension Unicode.Scalar {
    /// A control character, a separator of lines or paragraphs, or a mark of the writing direction.
    fileprivate var isDisturbing: Bool {
        switch properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator: true
        case .format: properties.isBidiControl
        default: false
        }
    }
}
