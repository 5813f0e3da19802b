import Testing

/// Who may import whom: the picture in the README, as a table.
@Suite struct `Layers` {
    private static let words = ["ConclaveBase", "ConclaveWire"]
    private static let withoutIO =
        words + [
            "ConclaveGroup", "ConclaveReplication", "ConclaveCoordination", "ConclaveService",
            "ConclaveClientCore",
        ]
    private static let allowed: [String: [String]] = [
        "ConclaveBase": [],
        "ConclaveWire": ["ConclaveBase", "CConclaveChecksum"],
        "ConclaveGroup": words,
        "ConclaveReplication": words + ["ConclaveGroup"],
        "ConclaveCoordination": words,
        "ConclaveService": words + [
            "ConclaveGroup", "ConclaveReplication", "ConclaveCoordination",
        ],
        "ConclaveClientCore": words,
        "ConclaveSimulation": withoutIO,
        "ConclaveReactor": ["ConclaveBase", "CConclaveLinux"],
        "ConclaveFabric": words + ["ConclaveReactor", "CConclaveLinux"],
        "ConclaveJournal": ["ConclaveBase", "ConclaveReactor", "CConclaveLinux"],
        "ConclaveRuntime": [
            "ConclaveBase", "ConclaveReplication", "ConclaveReactor", "ConclaveFabric",
            "ConclaveJournal",
        ],
        "ConclaveNode": words + [
            "ConclaveGroup", "ConclaveReplication", "ConclaveCoordination", "ConclaveService",
            "ConclaveRuntime", "ConclaveReactor", "ConclaveFabric", "ConclaveJournal",
            "CConclaveLinux", "CConclaveSystemd", "CConclaveYAML",
        ],
        "Conclave": words + ["ConclaveClientCore", "CConclaveLinux"],
        "conclaved": ["ConclaveBase", "ConclaveNode"],
        "conclavectl": ["Conclave", "CConclaveLinux"],
        "conclave-sim": [
            "ConclaveBase", "ConclaveReactor", "ConclaveSimulation", "CConclaveLinux",
        ],
        "conclave-bench": ["Conclave", "CConclaveLinux"],
    ]
    private static let banned = [
        "import Foundation", "import Glibc", "import Dispatch", "import Synchronization",
        "ContinuousClock", "SuspendingClock", "Task {", "Task.", "SystemRandomNumberGenerator",
        ".random(in:", ".shuffled()", ".randomElement()", "print(", "async", "await",
    ]

    @Test func `every module imports only what the picture lets it`() throws {
        for file in try SourceTree.files(in: ["Sources"]) {
            let allowed = try #require(Self.allowed[file.module], "\(file.module) is in no layer")
            for line in file.lines {
                guard let name = importedModule(line.text), name.contains("Conclave") else {
                    continue
                }
                #expect(
                    allowed.contains(name),
                    "\(file.path):\(line.number): \(file.module) imports \(name)")
            }
        }
    }

    @Test func `modules without I/O touch no clock, task, file or chance`() throws {
        for file in try SourceTree.files(in: Self.withoutIO.map { "Sources/" + $0 }) {
            for line in file.lines where !line.isComment {
                for word in Self.banned where contains(line.text, word: word) {
                    Issue.record("\(file.path):\(line.number): \(word)")
                }
            }
        }
    }

    @Test func `nothing that runs for long brings Foundation along`() throws {
        for file in try SourceTree.files(in: ["Sources"]) {
            for line in file.lines {
                #expect(
                    importedModule(line.text) != "Foundation", "\(file.path):\(line.number)")
            }
        }
    }

    @Test func `nothing below Node knows logging`() throws {
        for file in try SourceTree.files(in: ["Sources"]) where file.module != "ConclaveNode" {
            for line in file.lines where file.module != "conclaved" {
                #expect(importedModule(line.text) != "Logging", "\(file.path):\(line.number)")
            }
        }
    }

    @Test func `only what users import is public`() throws {
        let open = ["ConclaveBase", "Conclave", "ConclaveRuntime"]
        for file in try SourceTree.files(in: ["Sources"]) where !open.contains(file.module) {
            for line in file.lines where !line.isComment {
                let words = line.text.split(separator: " ")
                let isDeclaration = words.contains("public") && !words.contains("import")
                #expect(!isDeclaration, "\(file.path):\(line.number)")
            }
        }
    }

    /// The module named by an import line, with or without an access level or attribute.
    private func importedModule(_ line: String) -> String? {
        let words = line.split(separator: " ").map(String.init)
        guard let position = words.firstIndex(of: "import"), position + 1 < words.count,
            words[..<position].allSatisfy({
                $0.hasPrefix("@") || ["package", "public", "internal", "private"].contains($0)
            })
        else { return nil }
        return words[position + 1]
    }

    /// A word that begins or ends with a letter must not be part of a longer one.
    private func contains(_ line: String, word: String) -> Bool {
        line.ranges(of: word).contains { range in
            let before = line[..<range.lowerBound].last
            let after = line[range.upperBound...].first
            return !(isPartOfWord(word.first) && isPartOfWord(before))
                && !(isPartOfWord(word.last) && isPartOfWord(after))
        }
    }

    private func isPartOfWord(_ character: Character?) -> Bool {
        guard let character else { return false }
        return character.isLetter || character.isNumber || character == "_"
    }
}
