import FoundationEssentials

/// A line of figures: one JSON object without others in it.
struct JSONLine: Equatable {
    enum Value: Equatable, Decodable {
        case text(String)
        case number(Double)
        case truth(Bool)
        case null

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if container.decodeNil() {
                self = .null
            } else if let truth = try? container.decode(Bool.self) {
                self = .truth(truth)
            } else if let number = try? container.decode(Double.self) {
                self = .number(number)
            } else {
                self = .text(try container.decode(String.self))
            }
        }
    }

    struct Fault: Error, Equatable {
        var message: String
    }

    let members: [String: Value]

    init(_ line: some StringProtocol) throws(Fault) {
        do {
            members = try JSONDecoder().decode([String: Value].self, from: Data(line.utf8))
        } catch {
            throw Fault(message: "not a JSON object of texts and numbers")
        }
    }

    subscript(name: String) -> Value? { members[name] }

    func text(_ name: String) -> String? {
        if case .text(let text) = self[name] { text } else { nil }
    }

    func number(_ name: String) -> Double? {
        if case .number(let number) = self[name] { number } else { nil }
    }
}
