/// Numbers for completions.
final class Tags {
    private(set) var last: UInt64 = 0

    func next() -> UInt64 {
        last += 1
        return last
    }
}
