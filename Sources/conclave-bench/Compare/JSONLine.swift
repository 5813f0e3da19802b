/// A line of figures: one JSON object without others in it.
struct JSONLine: Equatable {
    enum Value: Equatable {
        case text(String)
        case number(Double)
        case truth(Bool)
        case null
    }

    struct Fault: Error, Equatable {
        var message: String
    }

    /// In the order of the line.
    private(set) var members: [(name: String, value: Value)] = []

    subscript(name: String) -> Value? { members.first { $0.name == name }?.value }

    func text(_ name: String) -> String? {
        if case .text(let text) = self[name] { text } else { nil }
    }

    func number(_ name: String) -> Double? {
        if case .number(let number) = self[name] { number } else { nil }
    }

    init(_ line: some StringProtocol) throws(Fault) {
        var scanner = Scanner(line)
        try scanner.expect("{")
        if !scanner.take("}") {
            repeat {
                let name = try scanner.string()
                try scanner.expect(":")
                let value = try scanner.value()
                guard self[name] == nil else { throw Fault(message: "\"\(name)\" is there twice") }
                members.append((name, value))
            } while scanner.take(",")
            try scanner.expect("}")
        }
        guard scanner.isAtEnd else { throw Fault(message: "something follows the object") }
    }

    static func == (left: JSONLine, right: JSONLine) -> Bool {
        left.members.elementsEqual(right.members) { $0.name == $1.name && $0.value == $1.value }
    }

    /// Reads what JSON is made of.
    private struct Scanner {
        private let bytes: [UInt8]
        private var position = 0

        init(_ text: some StringProtocol) {
            bytes = Array(text.utf8)
        }

        private mutating func skipSpace() {
            while position < bytes.count, [0x20, 0x09, 0x0D].contains(bytes[position]) {
                position += 1
            }
        }

        var isAtEnd: Bool {
            mutating get {
                skipSpace()
                return position == bytes.count
            }
        }

        mutating func take(_ character: Unicode.Scalar) -> Bool {
            skipSpace()
            guard position < bytes.count, bytes[position] == UInt8(ascii: character) else {
                return false
            }
            position += 1
            return true
        }

        mutating func expect(_ character: Unicode.Scalar) throws(Fault) {
            guard take(character) else {
                throw Fault(message: "not a JSON object: '\(character)' is missing at \(place)")
            }
        }

        private var place: String {
            position < bytes.count ? "byte \(position + 1)" : "the end"
        }

        mutating func value() throws(Fault) -> Value {
            skipSpace()
            guard position < bytes.count else { throw Fault(message: "a value is missing") }
            switch bytes[position] {
            case UInt8(ascii: "\""): return .text(try string())
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                throw Fault(message: "an object or array within the object at \(place)")
            default: return try word()
            }
        }

        private mutating func word() throws(Fault) -> Value {
            let start = position
            let ends = Array(",}] \t\r".utf8)
            while position < bytes.count, !ends.contains(bytes[position]) { position += 1 }
            let word = String(decoding: bytes[start..<position], as: UTF8.self)
            switch word {
            case "true": return .truth(true)
            case "false": return .truth(false)
            case "null": return .null
            default:
                // What Double reads beyond JSON's numbers begins with other letters.
                guard word.first.map({ $0 == "-" || $0.isWholeNumber }) == true,
                    !word.contains("x"), let number = Double(word), number.isFinite
                else { throw Fault(message: "'\(word)' is no value") }
                return .number(number)
            }
        }

        mutating func string() throws(Fault) -> String {
            try expect("\"")
            var text: [UInt8] = []
            while position < bytes.count {
                let byte = bytes[position]
                position += 1
                switch byte {
                case UInt8(ascii: "\""): return String(decoding: text, as: UTF8.self)
                case UInt8(ascii: "\\"): text += Array(String(try escaped()).utf8)
                case ..<0x20: throw Fault(message: "a control character within a string")
                default: text.append(byte)
                }
            }
            throw Fault(message: "a string has no end")
        }

        private mutating func escaped() throws(Fault) -> Unicode.Scalar {
            guard position < bytes.count else { throw Fault(message: "a string has no end") }
            let byte = bytes[position]
            position += 1
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"):
                return Unicode.Scalar(byte)
            case UInt8(ascii: "b"): return "\u{8}"
            case UInt8(ascii: "f"): return "\u{C}"
            case UInt8(ascii: "n"): return "\n"
            case UInt8(ascii: "r"): return "\r"
            case UInt8(ascii: "t"): return "\t"
            case UInt8(ascii: "u"): return try character()
            default: throw Fault(message: "an unknown escape within a string")
            }
        }

        private mutating func character() throws(Fault) -> Unicode.Scalar {
            let high = try unit()
            guard (0xD800..<0xDC00).contains(high) else {
                guard let scalar = Unicode.Scalar(high) else {
                    throw Fault(message: "half a character within a string")
                }
                return scalar
            }
            guard take("\\"), take("u") else {
                throw Fault(message: "half a character within a string")
            }
            let low = try unit()
            guard (0xDC00..<0xE000).contains(low),
                let scalar = Unicode.Scalar(0x10000 + (high - 0xD800) << 10 + (low - 0xDC00))
            else { throw Fault(message: "half a character within a string") }
            return scalar
        }

        private mutating func unit() throws(Fault) -> UInt32 {
            let digits = bytes[position...].prefix(4)
            position += digits.count
            guard digits.count == 4,
                digits.allSatisfy({ $0 != UInt8(ascii: "+") && $0 != UInt8(ascii: "-") }),
                let unit = UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
            else { throw Fault(message: "an unknown escape within a string") }
            return unit
        }
    }
}
