import ArgumentParser
import Conclave
import Glibc

/// A moment of a history: a version, or a time in UTC such as `2026-03-01T03:12:00Z`; the
/// seconds, and parts of them to the millisecond, may be left out, and so may the date: `03:12` is
/// the last time that it was that.
struct MomentArgument: ExpressibleByArgument, Equatable {
    var moment: ConfigurationMoment
    /// As it is told to people.
    var words: String

    init?(argument: String) {
        self.init(argument, now: .wallClock)
    }

    init?(_ argument: String, now: Timestamp) {
        if let number = UInt64(argument) {
            moment = .version(Version(number))
            words = "version \(number)"
        } else if let time = Timestamp(timeOfDay: argument, lastBefore: now) {
            moment = .time(time)
            words = time.text
        } else if let time = Timestamp(iso8601: argument) {
            moment = .time(time)
            words = argument
        } else {
            return nil
        }
    }
}

/// A version as the configuration shows it.
struct VersionArgument: ExpressibleByArgument, Equatable {
    var version: Version

    init?(argument: String) {
        guard let number = UInt64(argument) else { return nil }
        version = Version(number)
    }
}

extension Timestamp {
    /// Of the years 1970 to 9999, in UTC.
    init?(iso8601 text: String) {
        let halves = text.split(separator: "T", omittingEmptySubsequences: false)
        guard halves.count == 2, halves[1].last == "Z" else { return nil }
        let date = halves[0].split(separator: "-", omittingEmptySubsequences: false)
        guard date.count == 3, let milliseconds = Self.millisecondsOfDay(halves[1].dropLast()),
            let year = UInt64(digits: date[0], count: 4), year >= 1_970,
            let month = UInt64(digits: date[1], count: 2), (1...12).contains(month),
            let day = UInt64(digits: date[2], count: 2), day >= 1,
            day <= UInt64.days(inMonth: month, ofYear: year)
        else { return nil }
        let days = UInt64.days(toYear: year, month: month, day: day)
        self.init(microseconds: (days * Self.millisecondsPerDay + milliseconds) * 1_000)
    }

    private static let millisecondsPerDay: UInt64 = 86_400_000

    /// The last time, not after `now`, that it was `03:12`, or `03:12:00.000`, or these with a `Z`.
    init?(timeOfDay text: String, lastBefore now: Timestamp) {
        let clock = text.last == "Z" ? text.dropLast() : text[...]
        guard let milliseconds = Self.millisecondsOfDay(clock) else { return nil }
        let days = now.microseconds / 1_000 / Self.millisecondsPerDay
        var time = days * Self.millisecondsPerDay + milliseconds
        if time * 1_000 > now.microseconds {
            guard days > 0 else { return nil }
            time -= Self.millisecondsPerDay
        }
        self.init(microseconds: time * 1_000)
    }

    fileprivate static var wallClock: Timestamp {
        var now = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &now)
        return Timestamp(
            microseconds: UInt64(clamping: now.tv_sec) * 1_000_000
                + UInt64(clamping: now.tv_nsec) / 1_000)
    }

    private static func millisecondsOfDay(_ text: Substring) -> UInt64? {
        let clock = text.split(separator: ":", omittingEmptySubsequences: false)
        guard (2...3).contains(clock.count), let hour = UInt64(digits: clock[0], count: 2),
            hour < 24, let minute = UInt64(digits: clock[1], count: 2), minute < 60,
            let milliseconds = clock.count == 3 ? Self.milliseconds(clock[2]) : 0
        else { return nil }
        return (hour * 60 + minute) * 60_000 + milliseconds
    }

    private static func milliseconds(_ text: Substring) -> UInt64? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), let seconds = UInt64(digits: parts[0], count: 2),
            seconds < 60
        else { return nil }
        guard parts.count == 2 else { return seconds * 1_000 }
        guard let milliseconds = UInt64(digits: parts[1], count: 3) else { return nil }
        return seconds * 1_000 + milliseconds
    }
}

extension UInt64 {
    fileprivate init?(digits: Substring, count: Int) {
        guard digits.utf8.count == count, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) })
        else { return nil }
        self.init(digits)
    }

    fileprivate static func days(inMonth month: UInt64, ofYear year: UInt64) -> UInt64 {
        let next = month == 12 ? (year + 1, 1) : (year, month + 1)
        return days(toYear: next.0, month: next.1, day: 1)
            - days(toYear: year, month: month, day: 1)
    }

    /// From 1970-01-01 on; as `civilDate`, the other way round.
    fileprivate static func days(toYear year: UInt64, month: UInt64, day: UInt64) -> UInt64 {
        let shiftedYear = month <= 2 ? year - 1 : year
        let era = shiftedYear / 400
        let yearOfEra = shiftedYear % 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }
}
