/// What `conclave doctor` found in one place, and what to do about it.
struct Finding: Equatable {
    enum Grade: String, CaseIterable {
        /// As it should be.
        case good
        /// Worth knowing; nothing need be done.
        case note
        /// Works now, and may not in the next trouble.
        case warning
        /// Does not work.
        case fault
    }

    let grade: Grade
    /// What was looked at.
    let subject: String
    /// A sentence, without a full stop.
    let text: String
    /// What to do; `nil`: nothing.
    let advice: String?

    init(_ grade: Grade, _ subject: String, _ text: String, advice: String? = nil) {
        self.grade = grade
        self.subject = subject
        self.text = text
        self.advice = advice
    }

    var line: String {
        let advice = advice.map { "\n         \($0)" } ?? ""
        let grade = "\(grade)".padded(to: 8)
        return "\(grade) \(subject): \(text)\(advice)"
    }

    var json: JSON {
        .object([
            "grade": .string(grade.rawValue), "subject": .string(subject), "text": .string(text),
            "advice": .optional(advice, JSON.string),
        ])
    }
}

extension String {
    fileprivate func padded(to count: Int) -> String {
        self + String(repeating: " ", count: max(0, count - self.count))
    }
}
