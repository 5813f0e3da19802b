/// When a run looks at what is on a disk, while its daemon goes on. Reading it costs much, and a run in
/// which much is said would do little else: of the first occasions all are taken, of later ones fewer
/// and fewer.
struct DiskOccasions {
    /// One of so many where nothing is on its way to the disk: there is rarely anything to find.
    private static let restedOneOf = 8
    /// Of the turns while a sync is under way.
    private static let busyOneOf = 64
    /// So much on its way takes more than one sync.
    private static let backlogByteCount = 12 * 1024
    /// So many occasions in a row are as good as each other.
    private static let alike = 12

    private var pledgeCount = 0
    private var checkablePledgeCount = 0
    private var busyTurnCount = 0
    private var backlogCount = 0
    private var readCount = 0
    /// The next turn in which more is acknowledged is worth it.
    private(set) var isTurnDue = false

    private static func isTaken(_ occasion: Int) -> Bool {
        occasion % (1 + occasion / alike) == 0
    }

    /// Somebody says something that his disk must bear out.
    mutating func isPledgeTaken(isBusy: Bool) -> Bool {
        pledgeCount += 1
        guard isBusy || pledgeCount % Self.restedOneOf == 0 else { return false }
        checkablePledgeCount += 1
        return Self.isTaken(checkablePledgeCount)
    }

    /// A turn has ended with so much on its way.
    mutating func noteTurn(byteCountUnderWay: Int) {
        if byteCountUnderWay > Self.backlogByteCount {
            backlogCount += 1
            if Self.isTaken(backlogCount) { isTurnDue = true }
        } else {
            busyTurnCount += 1
            let (occasion, rest) = busyTurnCount.quotientAndRemainder(dividingBy: Self.busyOneOf)
            if rest == 0, Self.isTaken(occasion) { isTurnDue = true }
        }
    }

    mutating func takeTurn() { isTurnDue = false }

    /// Which of two copies is left out of what is read, if any: either must be enough.
    mutating func copyLeftOut() -> Int? {
        readCount += 1
        return readCount % 3 > 0 ? readCount % 2 : nil
    }
}
