import ConclaveBase
import ConclaveWire

/// The fields of a line, taken one by one: each must be there, be what it should, and none be left.
struct HistoryFields {
    private let line: HistoryLine
    private var taken: Set<String> = []

    init(_ line: HistoryLine) {
        self.line = line
    }

    func finish() throws(HistoryError) {
        for (key, _) in line.fields where !taken.contains(key) { throw .unknown(key: key) }
    }

    private mutating func take(_ key: String) throws(HistoryError) -> HistoryLine.Value {
        taken.insert(key)
        guard let value = line[key] else { throw .missing(key: key) }
        return value
    }

    mutating func integer(_ key: String) throws(HistoryError) -> UInt64 {
        let value = try take(key)
        guard case .integer(let number) = value else { throw invalid(key, value) }
        return number
    }

    mutating func optionalInteger(_ key: String) throws(HistoryError) -> UInt64? {
        line[key] == nil ? nil : try integer(key)
    }

    mutating func small(_ key: String) throws(HistoryError) -> UInt32 {
        let number = try integer(key)
        guard let small = UInt32(exactly: number) else { throw invalid(key, .integer(number)) }
        return small
    }

    mutating func optionalSmall(_ key: String) throws(HistoryError) -> UInt32? {
        line[key] == nil ? nil : try small(key)
    }

    mutating func token(_ key: String) throws(HistoryError) -> FencingToken {
        FencingToken(try integer(key))
    }

    mutating func text(_ key: String) throws(HistoryError) -> String {
        let value = try take(key)
        guard case .text(let text) = value else { throw invalid(key, value) }
        return text
    }

    /// Not there: false.
    mutating func flag(_ key: String) throws(HistoryError) -> Bool {
        guard line[key] != nil else { return false }
        let value = try take(key)
        guard case .flag(let flag) = value else { throw invalid(key, value) }
        return flag
    }

    mutating func name(_ key: String) throws(HistoryError) -> ObjectName {
        let text = try text(key)
        guard let name = try? ObjectName(text) else { throw .invalid(key: key, value: text) }
        return name
    }

    /// A case by its name.
    mutating func choice<T: CaseIterable>(_ key: String) throws(HistoryError) -> T {
        let text = try text(key)
        guard let choice = T.allCases.first(where: { "\($0)" == text }) else {
            throw .invalid(key: key, value: text)
        }
        return choice
    }

    mutating func bytes(_ key: String) throws(HistoryError) -> [UInt8] {
        let text = try text(key)
        guard let bytes = Hexadecimal.bytes(of: text) else {
            throw .invalid(key: key, value: text)
        }
        return bytes
    }

    mutating func byteLists(_ key: String) throws(HistoryError) -> [[UInt8]] {
        let value = try take(key)
        guard case .list(let texts) = value else { throw invalid(key, value) }
        var lists: [[UInt8]] = []
        for text in texts {
            guard let bytes = Hexadecimal.bytes(of: text) else {
                throw .invalid(key: key, value: text)
            }
            lists.append(bytes)
        }
        return lists
    }

    private func invalid(_ key: String, _ value: HistoryLine.Value) -> HistoryError {
        .invalid(key: key, value: "\(value)")
    }
}

enum Hexadecimal {
    private static let digits = Array("0123456789abcdef".utf8)

    static func text(of bytes: [UInt8]) -> String {
        let text = bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
        return String(decoding: text, as: UTF8.self)
    }

    /// `nil`: not an even number of hexadecimal digits.
    static func bytes(of text: String) -> [UInt8]? {
        let values = text.utf8.map { digit in digits.firstIndex(of: digit) }
        guard values.count.isMultiple(of: 2), values.allSatisfy({ $0 != nil }) else { return nil }
        return stride(from: 0, to: values.count, by: 2).map {
            UInt8(values[$0]! << 4 | values[$0 + 1]!)
        }
    }
}
