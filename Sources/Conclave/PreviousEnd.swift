import ConclaveWire

/// How the holder before the present one lost what it held. New ways may be added.
///
/// That the holder of a lock died or expired is remembered until somebody has the lock again, also
/// when nobody waited for it: for the last 10,000 locks that were lost so. Of several that shared it
/// the one counts that was the last.
public struct PreviousEnd: Hashable, Sendable, CustomStringConvertible {
    public let description: String

    /// Nobody held it before, or whoever did let go in good order while nobody waited.
    public static let none = PreviousEnd(description: "none")
    public static let released = PreviousEnd(description: "released")
    /// Its session was closed while it held.
    public static let goodbye = PreviousEnd(description: "goodbye")
    /// Its process died: what it was doing may be half done.
    public static let died = PreviousEnd(description: "died")
    /// Its session's validity ran out: what it was doing may be half done.
    public static let expired = PreviousEnd(description: "expired")

    /// An administrator ended its session: what it was doing may be half done.
    public static let forced = PreviousEnd(description: "forced")

    private init(description: String) {
        self.description = description
    }

    init(_ end: ConclaveWire.PreviousEnd) {
        self =
            switch end {
            case .none: .none
            case .released: .released
            case .goodbye: .goodbye
            case .died: .died
            case .expired: .expired
            case .forced: .forced
            }
    }
}
