public import ConclaveBase
package import ConclaveWire

/// A leader slot as an observer sees it.
public struct LeaderChange: Hashable, Sendable {
    public struct Leader: Hashable, Sendable {
        public let session: SessionID
        public let host: NodeID
        public let pid: UInt32
        public let label: String
        /// Which of the slot's places it has, from 0 on.
        public let place: Int
        /// The term's number.
        public let token: FencingToken
        /// What the leader has published.
        public let value: [UInt8]
        /// Since when it has led.
        public let since: Timestamp

        /// `value` as text; what is not UTF-8 is replaced.
        public var text: String { String(decoding: value, as: UTF8.self) }
    }

    public let slot: String
    /// How many may lead at once.
    public let places: Int
    /// By place.
    public let leaders: [Leader]
    public let standbyCount: Int
    /// When this state was reached, in the order of everything.
    public let version: Version
    /// Why somebody else may lead by now, and nobody tells: no daemon is there, or it is outside the
    /// majority. `nil`: every change is told. For people.
    public let doubt: String?

    /// The first of them; `nil`: nobody leads now.
    public var leader: Leader? { leaders.first }

    package init(_ state: LeaderState, doubt: String? = nil) {
        self.doubt = doubt
        slot = state.slot.text
        standbyCount = Int(state.standbyCount)
        version = state.version
        places = Int(state.places)
        leaders = state.leaders.map { leader in
            Leader(
                session: leader.session, host: leader.host, pid: leader.pid, label: leader.label,
                place: Int(leader.place), token: leader.token, value: leader.value,
                since: leader.since)
        }
    }
}
