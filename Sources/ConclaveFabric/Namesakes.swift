import ConclaveBase
import ConclaveReactor

/// The processes that have spoken under one node number, so that two which run side by side are told
/// from one that was started again.
///
/// An incarnation is one start of a process. A restart is followed by the new one alone; whoever dials
/// again after another had its place was not followed by that one: both live.
struct Namesakes {
    /// More are a machine that keeps being started.
    private static let maximumCount = 8

    /// The first that was heard first.
    private var incarnations: [Incarnation] = []

    /// A path to `incarnation` was opened.
    mutating func opened(_ incarnation: Incarnation) {
        guard !incarnations.contains(incarnation) else { return }
        if incarnations.count == Self.maximumCount { incarnations.removeFirst() }
        incarnations.append(incarnation)
    }

    /// Whether `incarnation` had a path before the other one that has it now.
    func isBack(_ incarnation: Incarnation) -> Bool {
        incarnations.contains(incarnation)
    }

    /// Which of two that both live keeps the path: the one at the address of the member list, since
    /// those who dial find that one; else the one that was here first, since others may rely on it.
    func isKept(
        _ incarnation: Incarnation, at address: SocketAddress, rather other: Incarnation,
        at otherAddress: SocketAddress, listed: SocketAddress
    ) -> Bool {
        let isListed = address.hasSameHost(as: listed)
        if isListed != otherAddress.hasSameHost(as: listed) { return isListed }
        let place = incarnations.firstIndex(of: incarnation) ?? incarnations.endIndex
        return place < incarnations.firstIndex(of: other) ?? incarnations.endIndex
    }
}
