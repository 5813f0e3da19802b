import Glibc
import Synchronization

/// The seeds that are being run. A run that traps takes the whole program with it: then they are
/// named, so that the one that did it can be run again.
enum SeedsInProgress {
    /// A seed and one, so that zero is nobody's.
    private static let places = (0..<32).map { _ in Place() }

    private final class Place: Sendable {
        let seed = Atomic<UInt64>(0)
        /// When the seed was begun.
        let start = Mutex(ContinuousClock.now)
    }

    static let limit = 32

    /// - Precondition: `place` is below `limit`, and nobody else's meanwhile.
    static func run<T>(_ seed: UInt64, in place: Int, _ body: () -> T) -> T {
        places[place].start.withLock { $0 = .now }
        places[place].seed.store(seed &+ 1, ordering: .releasing)
        defer { places[place].seed.store(0, ordering: .relaxed) }
        return body()
    }

    /// The seed of a run that goes on for longer than `patience`.
    static func overdue(after patience: Duration) -> UInt64? {
        for place in places {
            let seed = place.seed.load(ordering: .acquiring)
            guard seed > 0, place.start.withLock({ $0 }).duration(to: .now) > patience,
                place.seed.load(ordering: .acquiring) == seed
            else { continue }
            return seed - 1
        }
        return nil
    }

    static func nameThemOnTraps() {
        // Made here, since the handler must not.
        _ = places
        for number in [SIGILL, SIGTRAP, SIGSEGV, SIGBUS, SIGABRT] {
            signal(number) { number in
                SeedsInProgress.nameThem()
                signal(number, SIG_DFL)
                raise(number)
            }
        }
    }

    private static func nameThem() {
        for place in places {
            let seed = place.seed.load(ordering: .relaxed)
            guard seed > 0 else { continue }
            write("conclave-sim: a trap, maybe of --seed ")
            writeDecimal(seed - 1)
            write("\n")
        }
    }

    private static func write(_ text: StaticString) {
        _ = unsafe Glibc.write(STDERR_FILENO, text.utf8Start, text.utf8CodeUnitCount)
    }

    /// Without memory of its own: a handler may run in the middle of an allocation.
    private static func writeDecimal(_ number: UInt64) {
        var divisor: UInt64 = 1
        while number / divisor >= 10 { divisor *= 10 }
        while divisor > 0 {
            var digit = UInt8(ascii: "0") + UInt8(number / divisor % 10)
            _ = unsafe Glibc.write(STDERR_FILENO, &digit, 1)
            divisor /= 10
        }
    }
}
