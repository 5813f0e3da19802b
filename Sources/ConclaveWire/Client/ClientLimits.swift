package import ConclaveBase

/// Bounds of what a client may send, in one place; sizes in bytes.
package enum ClientLimits {
    /// Grows when the frames of a client, or of its daemon, are laid out in another way.
    package static let protocolVersion: UInt16 = 10
    package static let label = 255
    /// Locks that are asked for as one.
    package static let lockSet = 64
    /// Of one session: what it holds, and asks for, that its process is stopped for.
    package static let guardedObjects = 1_024
    package static let leaderValue = 4 * 1024
    /// How many may lead one slot: their values fit an answer together.
    package static let leaderPlaces: UInt32 = 128
    package static let barrierPayload = 4 * 1024
    package static let barrierPayloadsTogether = 512 * 1024
    package static let barrierParties: UInt32 = 10_000
    /// What an arrival that waits takes of the bytes of replies. It is more than its reply does: a session
    /// that ends answers all that wait with it, at a thousand barriers, at one version. So one user has
    /// about 100,000 of them, as many as locks.
    package static let waitingArrival = 640
    /// What the replies to all parties come to: each is told of all.
    package static let barrierRepliesTogether = 4 << 30
    /// Members of a group that an arrival may name: they fit a slot.
    package static let barrierMembersNamed = 512
    package static let requestsInFlight = 1_024
    package static let message = 1_024
    package static let memberAddress = MemberList.maximumAddressByteCount
    package static let listed = 100_000
    /// Objects of one page, and holders and waiters of one object that are named.
    package static let listedObjects = 256
    package static let listedSessions = 500
    /// Steps of who waits for whom that are told.
    package static let listedEdges = 256
    /// Entries of one page of a history, and holders of one object at a moment of it.
    package static let listedHistory = 256
    package static let listedHolders = 256
    package static let keyValue = 64 * 1024
    package static let transactionCompares = 128
    package static let transactionOperations = 128
    /// Keys of one page, and changes of one event.
    package static let listedKeys = 1_000
    /// A page goes on until it has so many bytes: with its last entry it fits a frame.
    package static let keyPage = 256 * 1024
    /// Of the name that whoever has a lease goes by.
    package static let leaseHolder = 255
    /// Tasks that wait for the one that asks.
    package static let tasksAround = 16
    /// How long a lock may stay closed after its holder was lost.
    package static let longestLockDelay = Interval.seconds(600)
    /// Of one member; sizes of a name, of a value, and of all names and values together.
    package static let groupAttributes = 32
    package static let groupAttributeName = 255
    package static let groupAttributeValue = 1_024
    package static let groupAttributesTogether = 4 * 1_024
    package static let groupMembers = 1_000
    package static let groupMessage = 64 * 1_024
    /// A state that is handed to a newcomer: with its request a part fits a slot.
    package static let groupStatePart = 4 * 1_024
    package static let groupStateParts = 256
    package static let groupState = groupStatePart * groupStateParts
    package static let defaultTTL = Interval.seconds(5)

    /// Of a session that names none: the default, or what is allowed that is nearest to it.
    package static func usualTTL(from minimum: Interval, to maximum: Interval) -> Interval {
        min(max(defaultTTL, minimum), maximum)
    }

}
