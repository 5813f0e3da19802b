/// A view at the point of the total order where it begins, as a state machine is told of it.
public struct InstalledView: Hashable, Sendable {
    public struct Departed: Hashable, Sendable {
        public var member: Member
        public var reason: DepartureReason
        /// Who noticed it.
        public var by: NodeID
        /// For how long at least no majority has confirmed a heartbeat of this incarnation, at the
        /// moment the view was proposed (V18).
        public var silent: Interval

        public init(member: Member, reason: DepartureReason, by: NodeID, silent: Interval) {
            self.member = member
            self.reason = reason
            self.by = by
            self.silent = silent
        }
    }

    public var view: View
    public var joined: [NodeID]
    /// Who was in the view before and is not in this one, by incarnation.
    public var departed: [Departed]
    /// Earlier incarnations that the state machine still remembers, with the silence vouched for.
    public var absent: [Departed]
    /// Fewer members than this serve nothing (V21).
    public var minimumMembers: Int
    /// State was lost before this view: nothing may be granted for a while (V26).
    public var stateWasLost: Bool
    /// By an operator's hand this view begins another history, with a state that may lack the newest
    /// of the one before (V27).
    public var historyWasGivenUp: Bool

    public init(
        view: View, joined: [NodeID], departed: [Departed], absent: [Departed],
        minimumMembers: Int, stateWasLost: Bool, historyWasGivenUp: Bool = false
    ) {
        self.view = view
        self.joined = joined
        self.departed = departed
        self.absent = absent
        self.minimumMembers = minimumMembers
        self.stateWasLost = stateWasLost
        self.historyWasGivenUp = historyWasGivenUp
    }

    public var isAdequate: Bool { view.members.count >= minimumMembers }
}
