import Glibc

/// The words of a command, byte for byte as they were given: the name of a file need not be UTF-8,
/// and a `String` would replace what is not.
struct CommandWords: ExpressibleByArrayLiteral {
    /// Each with its zero at the end.
    let words: [[CChar]]

    init(arrayLiteral words: String...) {
        self.words = words.map { Array($0.utf8CString) }
    }

    /// The last `count` arguments of this process.
    init(last count: Int) {
        words = Self.ofThisProcess.suffix(count)
    }

    /// The first of them, to be shown.
    var program: String {
        String(decoding: words[0].dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    /// Whether all that stands before `--` is UTF-8. What is not would come out as another name.
    static var optionsAreText: Bool {
        let dashes = Array("--".utf8CString)
        return ofThisProcess.prefix { $0 != dashes }.allSatisfy { word in
            String(validating: word.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self) != nil
        }
    }

    private static var ofThisProcess: [[CChar]] {
        (0..<Int(CommandLine.argc)).map { index in
            guard let word = unsafe CommandLine.unsafeArgv[index] else { return [0] }
            return unsafe Array(UnsafeBufferPointer(start: word, count: strlen(word) + 1))
        }
    }
}
