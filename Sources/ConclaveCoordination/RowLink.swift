/// From one row to another one of an arena, or to none: a quarter of what an optional index takes, since there
/// may be a million rows, each with several.
struct RowLink: Hashable, Sendable {
    static let none = RowLink(nil)

    /// The index and one.
    private var number: UInt32

    /// - Precondition: `index` is less than 2^32 - 1.
    init(_ index: Int?) {
        number = index.map { UInt32($0 + 1) } ?? 0
    }

    var index: Int? { number == 0 ? nil : Int(number) - 1 }
}
