import Testing

/// Rules of form that the compiler and swift-format do not see.
@Suite struct `Source tree` {
    private static let maximumSourceLines = 600
    private static let maximumTestLines = 1_000
    private static let maximumFunctionLines = 70

    @Test func `the top level has only its six names`() throws {
        let names = try SourceTree.names(in: ".").filter { !$0.hasPrefix(".") }
        let agreed = [
            "Package.resolved", "Package.swift", "README.md", "Sources", "Tests", "examples",
            "systemd",
        ]
        #expect(names.filter { !agreed.contains($0) } == [])
    }

    @Test func `the README's map names every folder of the sources`() throws {
        let readme = try SourceTree.text(of: "README.md")
        for name in try SourceTree.names(in: "Sources") {
            #expect(readme.contains("`\(name)`"), "\(name) is not in README.md")
        }
    }

    @Test func `the README's program is the example that is built`() throws {
        let readme = try SourceTree.text(of: "README.md")
        let program = try SourceTree.text(of: "examples/first-steps/main.swift")
        #expect(readme.contains("```swift\n\(program)```"))
    }

    @Test func `the README names every example`() throws {
        let readme = try SourceTree.text(of: "README.md")
        for name in try SourceTree.names(in: "examples") {
            #expect(
                readme.contains("`\(name)`") || readme.contains("examples/\(name)"),
                "\(name) is not in README.md")
        }
    }

    @Test func `no file is two files`() throws {
        for file in try SourceTree.files(in: ["Sources", "examples"]) {
            #expect(file.lines.count <= Self.maximumSourceLines, "\(file.path)")
        }
        for file in try SourceTree.files(in: ["Tests"]) {
            #expect(file.lines.count <= Self.maximumTestLines, "\(file.path)")
        }
    }

    @Test func `no function is longer than a screen or two`() throws {
        for file in try SourceTree.files(in: ["Sources", "examples"]) {
            for function in functions(of: file) where function.lineCount > Self.maximumFunctionLines
            {
                Issue.record("\(file.path):\(function.line): \(function.lineCount) lines")
            }
        }
    }

    @Test func `nothing is left to be done, commented out or fenced by banners`() throws {
        let marks = ["TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"]
        let files = try SourceTree.files(
            in: ["Sources", "Tests", "examples", "systemd"], endings: ["swift", "c", "h", "yaml"])
        for file in files {
            for line in file.lines {
                let words = line.text.split { !$0.isLetter && !$0.isNumber }
                for mark in marks where words.contains(Substring(mark)) {
                    Issue.record("\(file.path):\(line.number): \(mark)")
                }
                let text = line.text.drop { $0 == " " }
                for banner in ["// ==", "// --", "// **", "/" + "/ }"] where text.hasPrefix(banner)
                {
                    Issue.record("\(file.path):\(line.number): \(banner)")
                }
            }
        }
    }

    /// Another clock would stand still while a machine sleeps, and deadlines with it.
    /// (`ContinuousClock` reads that one.)
    @Test func `every deadline runs on CLOCK_BOOTTIME`() throws {
        let clocks = [
            "CLOCK_MONO" + "TONIC", "Suspending" + "Clock", "Task.sle" + "ep", "nano" + "sleep",
            "Dispatch" + "Time", "usle" + "ep(",
        ]
        let files = try SourceTree.files(in: ["Sources"], endings: ["swift", "c", "h"])
        for file in files where !file.path.contains("conclave-bench") {
            for line in file.lines {
                for clock in clocks where line.text.contains(clock) {
                    Issue.record("\(file.path):\(line.number): \(clock)")
                }
            }
        }
    }

    @Test func `no path of somebody's machine is written down`() throws {
        let places = ["/wo" + "rk/", "/ho" + "me/", "/ro" + "ot/", "/Us" + "ers/"]
        let files = try SourceTree.files(
            in: ["Sources", "Tests", "examples", "systemd"],
            endings: ["swift", "c", "h", "yaml", "conf", "service", "socket", ""])
        for file in files {
            for line in file.lines {
                for place in places where line.text.contains(place) {
                    Issue.record("\(file.path):\(line.number): \(place)")
                }
            }
        }
    }

    @Test func `types are named for what they are`() throws {
        let empty = [
            "Manager", "Helper", "Helpers", "Util", "Utils", "Utilities", "Context", "Info",
        ]
        let kinds: Set<Substring> = ["struct", "class", "enum", "protocol", "actor", "typealias"]
        for file in try SourceTree.files(in: ["Sources", "examples"]) {
            for line in file.lines where !line.isComment {
                let words = line.text.split { !$0.isLetter && !$0.isNumber && $0 != "_" }
                for (kind, name) in zip(words, words.dropFirst()) where kinds.contains(kind) {
                    #expect(
                        !empty.contains { name.hasSuffix($0) }, "\(file.path):\(line.number)")
                }
            }
        }
    }

    private struct Function {
        var line: Int
        var lineCount: Int
    }

    /// Functions by their indentation, which swift-format keeps: the closing brace stands below the
    /// declaration's first letter.
    private func functions(of file: SourceTree.File) -> [Function] {
        var functions: [Function] = []
        for (index, line) in file.lines.enumerated() where isDeclaration(line.text) {
            let indentation = line.text.prefix { $0 == " " }
            guard let opening = opening(in: file.lines[index...], indentation: indentation.count),
                let end = file.lines[opening...].first(where: { $0.text == indentation + "}" })
            else { continue }
            functions.append(Function(line: line.number, lineCount: end.number - line.number + 1))
        }
        return functions
    }

    private func isDeclaration(_ line: String) -> Bool {
        let words = line.split(separator: " ")
        guard words.first?.hasPrefix("//") == false else { return false }
        let initializer = words.first { $0 != "package" && $0 != "public" && $0 != "private" }
        return words.contains("func") || initializer?.hasPrefix("init") ?? false
    }

    /// The line that ends with the body's opening brace; nothing for a body of one line or none.
    private func opening(in lines: ArraySlice<SourceTree.Line>, indentation: Int) -> Int? {
        for (index, line) in zip(lines.indices, lines) {
            let own = line.text.prefix { $0 == " " }.count
            let rest = line.text.dropFirst(own)
            let belongs = own > indentation || rest.hasPrefix(")") || rest.hasPrefix("{")
            guard index == lines.startIndex || belongs else { return nil }
            if line.text.hasSuffix("{") { return index }
        }
        return nil
    }
}
