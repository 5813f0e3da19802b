package import ConclaveBase

/// A lock that nobody is granted, since a holder was lost that had asked for that.
package struct ClosedLock: Hashable, Sendable {
    package var name: ObjectName
    /// The version at which the newest such holder was lost.
    package var since: Version
    /// How much time must pass from then on.
    package var delay: Interval

    package init(name: ObjectName, since: Version, delay: Interval) {
        self.name = name
        self.since = since
        self.delay = delay
    }
}
