/// What a value must look like, for those who have given one that does not, or none.
enum AcceptedForm {
    private static let forms: [(valueName: String, words: String)] = [
        ("duration", "a duration is a whole number of ms, s, m or h, such as 250ms, 30s or 5m"),
        (
            "moment",
            "a moment is a version, or a time in UTC such as 2026-03-01T03:12:00Z, or 03:12 for "
                + "the last time that it was that"
        ),
        ("version", "a version is a number, as the configuration shows it"),
    ]
    private static let names = ["name", "slot", "key", "group"]

    /// Of what a message of the command line's parser is about; `nil`: it speaks for itself.
    static func words(for message: String) -> String? {
        if names.contains(where: { message.contains("is invalid for '<\($0)>'") }) {
            return
                "a name has 1 to \(NameArgument.maximumByteCount) bytes, and no control characters"
        }
        return forms.first { message.contains("<\($0.valueName)>'") }?.words
    }
}
