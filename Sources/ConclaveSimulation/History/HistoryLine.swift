/// A flat JSON object: all that a line of a history may be.
struct HistoryLine {
    enum Value: Equatable {
        case integer(UInt64)
        case text(String)
        case flag(Bool)
        case list([String])
    }

    static let maximumByteCount = 1 << 20
    static let maximumListCount = 10_000

    private(set) var fields: [(key: String, value: Value)] = []

    init() {}

    mutating func add(_ key: String, _ value: Value) {
        fields.append((key, value))
    }

    subscript(key: String) -> Value? {
        fields.first { $0.key == key }?.value
    }

    // MARK: - Writing

    /// Without the end of the line.
    var text: String {
        let members = fields.map { "\(Self.quoted($0.key)):\(Self.text(of: $0.value))" }
        return "{" + members.joined(separator: ",") + "}"
    }

    private static func text(of value: Value) -> String {
        switch value {
        case .integer(let number): "\(number)"
        case .text(let text): quoted(text)
        case .flag(let flag): flag ? "true" : "false"
        case .list(let texts): "[" + texts.map(quoted).joined(separator: ",") + "]"
        }
    }

    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }

    // MARK: - Reading

    init(reading text: some StringProtocol) throws(HistoryError) {
        let bytes = Array(text.utf8)
        guard bytes.count <= Self.maximumByteCount else {
            throw .lineTooLong(byteCount: bytes.count, maximum: Self.maximumByteCount)
        }
        var scanner = HistoryScanner(bytes)
        try scanner.expect("{")
        if !scanner.take("}") {
            repeat {
                let key = try scanner.text()
                guard self[key] == nil else { throw .twice(key: key) }
                try scanner.expect(":")
                add(key, try scanner.value())
            } while scanner.take(",")
            try scanner.expect("}")
        }
        try scanner.finish()
    }
}

/// Reads the parts of a JSON line, byte by byte.
struct HistoryScanner {
    private let bytes: [UInt8]
    private var offset = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    private var next: UInt8? { offset < bytes.count ? bytes[offset] : nil }

    private mutating func skipBlanks() {
        while let byte = next, byte == 0x20 || byte == 0x09 || byte == 0x0D { offset += 1 }
    }

    mutating func take(_ character: Unicode.Scalar) -> Bool {
        skipBlanks()
        guard next == UInt8(ascii: character) else { return false }
        offset += 1
        return true
    }

    mutating func expect(_ character: Unicode.Scalar) throws(HistoryError) {
        guard take(character) else { throw .malformed(offset: offset) }
    }

    mutating func finish() throws(HistoryError) {
        skipBlanks()
        guard offset == bytes.count else { throw .malformed(offset: offset) }
    }

    mutating func value() throws(HistoryError) -> HistoryLine.Value {
        skipBlanks()
        switch next {
        case UInt8(ascii: "\"")?: return .text(try text())
        case UInt8(ascii: "[")?: return .list(try list())
        case UInt8(ascii: "t")?: return .flag(try word("true", true))
        case UInt8(ascii: "f")?: return .flag(try word("false", false))
        default: return .integer(try integer())
        }
    }

    private mutating func word(_ word: String, _ value: Bool) throws(HistoryError) -> Bool {
        guard bytes[offset...].starts(with: word.utf8) else { throw .malformed(offset: offset) }
        offset += word.utf8.count
        return value
    }

    private mutating func list() throws(HistoryError) -> [String] {
        var texts: [String] = []
        try expect("[")
        if take("]") { return texts }
        repeat {
            guard texts.count < HistoryLine.maximumListCount else {
                throw .malformed(offset: offset)
            }
            texts.append(try text())
        } while take(",")
        try expect("]")
        return texts
    }

    private mutating func integer() throws(HistoryError) -> UInt64 {
        let start = offset
        var value: UInt64 = 0
        while let byte = next, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) {
            let (product, isTooLarge) = value.multipliedReportingOverflow(by: 10)
            let (sum, isOver) = product.addingReportingOverflow(UInt64(byte - UInt8(ascii: "0")))
            guard !isTooLarge, !isOver else { throw .malformed(offset: start) }
            value = sum
            offset += 1
        }
        guard offset > start else { throw .malformed(offset: start) }
        return value
    }

    mutating func text() throws(HistoryError) -> String {
        try expect("\"")
        var result: [UInt8] = []
        while let byte = next, byte != UInt8(ascii: "\"") {
            guard byte >= 0x20 else { throw .malformed(offset: offset) }
            offset += 1
            if byte == UInt8(ascii: "\\") {
                result += String(try escaped()).utf8
            } else {
                result.append(byte)
            }
        }
        try expect("\"")
        guard let text = String(validating: result, as: UTF8.self) else {
            throw .malformed(offset: offset)
        }
        return text
    }

    /// One character that stands behind a backslash; of `\u` only those that need no second one.
    private mutating func escaped() throws(HistoryError) -> Unicode.Scalar {
        guard let byte = next else { throw .malformed(offset: offset) }
        offset += 1
        switch Unicode.Scalar(byte) {
        case "\"", "\\", "/": return Unicode.Scalar(byte)
        case "n": return "\n"
        case "t": return "\t"
        case "r": return "\r"
        case "u":
            guard offset + 4 <= bytes.count,
                let digits = String(validating: bytes[offset..<offset + 4], as: UTF8.self),
                let number = UInt32(digits, radix: 16), let scalar = Unicode.Scalar(number)
            else { throw .malformed(offset: offset) }
            offset += 4
            return scalar
        default: throw .malformed(offset: offset - 1)
        }
    }
}
