import Foundation

/// The files of the repository, read where they lie.
enum SourceTree {
    static let root = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    struct Line {
        var number: Int
        var text: String

        var isComment: Bool { text.trimmingCharacters(in: .whitespaces).hasPrefix("//") }
    }

    struct File {
        var url: URL
        var lines: [Line]

        /// From the root on.
        var path: String { String(url.path.dropFirst(SourceTree.root.path.count + 1)) }
        /// `Sources/<Module>/…`
        var module: String { path.split(separator: "/").dropFirst().first.map(String.init) ?? "" }
    }

    static func names(in folder: String) throws -> [String] {
        let url = root.appending(path: folder)
        return try FileManager.default.contentsOfDirectory(atPath: url.path).sorted()
    }

    /// All files with one of these endings, in the order of their paths.
    static func files(in folders: [String], endings: [String] = ["swift"]) throws -> [File] {
        try folders.flatMap { folder in
            try paths(in: root.appending(path: folder))
                .filter { endings.contains($0.pathExtension) }
                .sorted { $0.path < $1.path }
                .map { File(url: $0, lines: try lines(of: $0)) }
        }
    }

    static func text(of name: String) throws -> String {
        try String(contentsOf: root.appending(path: name), encoding: .utf8)
    }

    /// What a fuzzer made up is no text.
    private static func paths(in folder: URL) -> [URL] {
        let found = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)
        return (found?.allObjects as? [URL] ?? []).filter {
            !$0.hasDirectoryPath && !$0.path.contains("/Tests/Corpora/")
        }
    }

    private static func lines(of url: URL) throws -> [Line] {
        let text = try String(contentsOf: url, encoding: .utf8)
        return text.split(separator: "\n", omittingEmptySubsequences: false).enumerated().map {
            Line(number: $0.offset + 1, text: String($0.element))
        }
    }
}
