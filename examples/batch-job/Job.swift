/// The work itself.
enum Job {
    static let possibleSpeeds = 1...1_000_000
    static let possibleLimits = 0...1_000_000_000_000

    /// The numbers below `limit` that are a party's own. Those of all parties lie side by side, and
    /// leave none out: each begins where the one before ends.
    static func share(of rank: Int, among speeds: [Int], limit: Int) -> Range<Int> {
        let whole = speeds.reduce(0, +)
        let before = speeds.prefix(rank).reduce(0, +)
        func bound(_ sum: Int) -> Int {
            let (high, low) = limit.multipliedFullWidth(by: sum)
            return whole.dividingFullWidth((high, low)).quotient
        }
        return bound(before)..<bound(before + speeds[rank])
    }

    static func primeCount(in numbers: Range<Int>) -> Int {
        numbers.count(where: isPrime)
    }

    private static func isPrime(_ number: Int) -> Bool {
        guard number > 3 else { return number > 1 }
        guard number % 2 != 0, number % 3 != 0 else { return false }
        var divisor = 5
        while divisor * divisor <= number {
            if number % divisor == 0 || number % (divisor + 2) == 0 { return false }
            divisor += 6
        }
        return true
    }
}
