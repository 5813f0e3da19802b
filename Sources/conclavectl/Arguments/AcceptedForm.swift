/// What a value must look like, for those who have given one that does not, or none.
enum AcceptedForm {
    private static let forms: [(valueName: String, words: String)] = [
        (
            "duration",
            "a duration is a whole number of ms, s, m or h, such as 250ms, 30s or 5m; a bare one is seconds"
        ),
        (
            "moment",
            "a moment is a version, or a time in UTC such as 2026-03-01T03:12:00Z, or 03:12 for "
                + "the last time that it was that"
        ),
        ("version", "a version is a number, as the configuration shows it"),
        ("token", "a token is the number that came with the grant"),
        ("key=value", "an attribute is a key, '=' and a value"),
        ("count", "a count is a whole number, 4294967295 at most"),
        ("limit", "a limit is a whole number from 1 to 4294967295"),
        ("member", "a member is named by a number, which 'conclave group members' shows"),
    ]
    private static let options: [(option: String, words: String)] = [
        (
            "--priority",
            "a priority is a whole number from -2147483648 to 2147483647, a negative one given as "
                + "--priority=-5"
        ),
        ("--rank", "a rank is a whole number from 0 on"),
        ("--era-at-least", "an era is a whole number, 65535 at most"),
    ]
    private static let names = ["name", "slot", "key", "group"]

    /// Of what a message of the command line's parser is about; `nil`: it speaks for itself.
    static func words(for message: String) -> String? {
        if names.contains(where: { message.contains("is invalid for '<\($0)>'") }) {
            return
                "a name has 1 to \(NameArgument.maximumByteCount) bytes, and no control characters"
        }
        if let known = options.first(where: { message.contains("'\($0.option) <") }) {
            return known.words
        }
        return forms.first { message.contains("<\($0.valueName)>'") }?.words
    }
}
