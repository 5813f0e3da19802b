/// A place in a text file; both numbers begin at 1.
package struct TextPosition: Hashable, Comparable, Sendable {
    package var line: Int
    package var column: Int

    package init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }

    package static let start = TextPosition(line: 1, column: 1)

    package static func < (lhs: Self, rhs: Self) -> Bool {
        (lhs.line, lhs.column) < (rhs.line, rhs.column)
    }
}

/// One mistake in a configuration, in the form that compilers use, so that editors jump to it.
package struct SettingsFault: Equatable, Sendable, CustomStringConvertible {
    package var file: String
    package var position: TextPosition
    package var message: String

    package init(file: String, position: TextPosition, message: String) {
        self.file = file
        self.position = position
        self.message = message
    }

    package var description: String {
        "\(file):\(position.line):\(position.column): \(message)"
    }
}

/// Everything that is wrong with a configuration, in the order of the file.
package struct SettingsFaults: Error, Equatable, Sendable {
    package var faults: [SettingsFault]

    package init(_ faults: [SettingsFault]) {
        self.faults = faults
    }
}
