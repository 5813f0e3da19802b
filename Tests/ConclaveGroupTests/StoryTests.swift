import Foundation
import Testing

/// Scripts that drive several members by hand: a command, a line of four dashes, the answer.
///
/// `CONCLAVE_REWRITE=1` writes the answers anew; what they say is then for the reader to judge.
@Suite struct `Stories` {
    private static let folder = URL(filePath: #filePath)
        .deletingLastPathComponent().appending(path: "Stories")

    private static let names: [String] =
        ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? [])
        .filter { $0.hasSuffix(".txt") }.sorted()

    @Test func `there are stories`() {
        #expect(Self.names.count >= 12)
    }

    @Test(arguments: names)
    func `goes as it is written`(name: String) throws {
        let file = Self.folder.appending(path: name)
        let text = try String(contentsOf: file, encoding: .utf8)
        var script = Script(text)
        #expect(!script.scenes.isEmpty, "\(name) has no scene")
        let isRewriting = ProcessInfo.processInfo.environment["CONCLAVE_REWRITE"] == "1"
        var stage = StoryStage()
        for index in script.scenes.indices {
            let scene = script.scenes[index]
            var answer: [String] = []
            for command in scene.commands { answer += try stage.play(command) }
            if answer.isEmpty { answer = ["ok"] }
            script.scenes[index].answer = answer
            guard !isRewriting else { continue }
            #expect(
                scene.answer == answer,
                """
                \(name):\(scene.line): \(scene.commands.joined(separator: "; "))
                is now answered by
                \(answer.joined(separator: "\n"))
                """)
        }
        if isRewriting { try script.text.write(to: file, atomically: true, encoding: .utf8) }
    }
}

/// A script's text, cut into scenes.
private struct Script {
    struct Scene {
        /// Of the first command in the file.
        var line: Int
        /// Comments and empty lines before the commands.
        var preface: [String]
        var commands: [String]
        var answer: [String]
    }

    var scenes: [Scene] = []

    init(_ text: String) {
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
            .map(String.init)[...]
        while !lines.isEmpty {
            var scene = Scene(line: 0, preface: [], commands: [], answer: [])
            while let line = lines.first, line.isEmpty || line.hasPrefix("#") {
                scene.preface.append(line)
                lines.removeFirst()
            }
            scene.line = lines.startIndex + 1
            while let line = lines.popFirst(), line != "----" { scene.commands.append(line) }
            while let line = lines.first, !line.isEmpty {
                scene.answer.append(line)
                lines.removeFirst()
            }
            if !scene.commands.isEmpty { scenes.append(scene) }
        }
    }

    var text: String {
        scenes.map { ($0.preface + $0.commands + ["----"] + $0.answer).joined(separator: "\n") }
            .joined(separator: "\n") + "\n"
    }
}
