import ConclaveBase
package import ConclaveWire

/// The times that a group is set to, and what follows for whoever waits for something whose holder is
/// lost.
public struct GroupTiming: Hashable, Sendable {
    public let heartbeat: Duration
    public let suspicion: Duration
    public let stall: Duration
    /// The shortest and the longest ttl that a session may have.
    public let minimumTTL: Duration
    public let maximumTTL: Duration

    package init(_ report: TimingReport) {
        heartbeat = Duration(report.heartbeat)
        suspicion = Duration(report.suspicion)
        stall = Duration(report.stall)
        minimumTTL = Duration(report.minimumTTL)
        maximumTTL = Duration(report.maximumTTL)
    }

    /// How a holder can be lost.
    public enum Loss: String, Hashable, Sendable, CaseIterable {
        /// Its process ends, on a host that goes on.
        case process
        /// The daemon of its host ends, and does not come back in time.
        case daemon
        /// Its host loses power, or is cut off.
        case host
        /// The daemon of its host is connected, and does nothing: it is stopped, or its disk is.
        case stall
    }

    /// One way to lose a holder, with bounds. They are counted from the loss, hold while a majority is
    /// connected, and include no time that the others need to agree beyond one suspicion time; each
    /// member that fails while they do adds up to three more.
    public struct Bound: Hashable, Sendable {
        public let loss: Loss
        /// When the group has noticed it, at the latest.
        public let noticed: Duration
        /// When the next one holds it, at the latest. Zero: as soon as that is ordered.
        public let granted: Duration
    }

    /// What is known of holders whose sessions have this ttl; without one, that of a session that says
    /// nothing.
    public func bounds(ttl: Duration? = nil) -> [Bound] {
        let wait = Duration(ClockDrift.lengthened(Interval(self.ttl(ttl))))
        return Loss.allCases.map { loss in
            switch loss {
            case .process: Bound(loss: loss, noticed: .zero, granted: .zero)
            case .daemon: Bound(loss: loss, noticed: .zero, granted: suspicion + wait)
            case .host: Bound(loss: loss, noticed: suspicion, granted: suspicion * 2 + wait)
            case .stall:
                Bound(loss: loss, noticed: stall, granted: stall + suspicion + wait)
            }
        }
    }

    /// The ttl that a session is given that asks for this one.
    public func ttl(_ wanted: Duration?) -> Duration {
        wanted ?? min(max(Duration(ClientLimits.defaultTTL), minimumTTL), maximumTTL)
    }

    /// For how long nothing is granted after state was lost, or was gone on with by hand.
    public var quietAfterLoss: Duration {
        Duration(ClockDrift.lengthened(Interval(maximumTTL)))
    }
}
