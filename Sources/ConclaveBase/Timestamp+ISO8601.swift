extension Timestamp {
    /// ISO 8601 in UTC, to the millisecond. Before the year 0 and after 9999 there is none.
    package var iso8601: String {
        let milliseconds = microseconds / 1_000
        let (year, month, day) = (milliseconds / 86_400_000).civilDate
        let date = "\(year.padded(4))-\(month.padded(2))-\(day.padded(2))"
        let minutes = milliseconds / 60_000
        let time = "\((minutes / 60 % 24).padded(2)):\((minutes % 60).padded(2))"
        let seconds = "\((milliseconds / 1_000 % 60).padded(2)).\((milliseconds % 1_000).padded(3))"
        return "\(date)T\(time):\(seconds)Z"
    }
}

extension UInt64 {
    /// The date of this many days after 1970-01-01.
    ///
    /// Howard Hinnant, "chrono-compatible low-level date algorithms": eras of 400 years that begin
    /// in March, so that the leap day comes last.
    fileprivate var civilDate: (year: UInt64, month: UInt64, day: UInt64) {
        let shifted = self + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted % 146_097
        let yearOfEra =
            (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
    }

    fileprivate func padded(_ width: Int) -> String {
        let digits = String(self)
        return String(repeating: "0", count: Swift.max(0, width - digits.count)) + digits
    }
}
