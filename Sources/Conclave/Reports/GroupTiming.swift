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
        /// Its host loses power or is cut off, or its daemon is stopped.
        case host
        /// The daemon of its host is heard, and gets nothing done: its disk hangs.
        case stall
    }

    /// One way to lose a holder, with what the rules give for it: counted from the loss, with a majority
    /// connected that needs no more than a suspicion time to agree, and none of which fails meanwhile.
    public struct Bound: Hashable, Sendable {
        public let loss: Loss
        /// When the group has noticed it.
        public let noticed: Duration
        /// When the next one holds it. Zero: as soon as that is ordered.
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
        wanted
            ?? Duration(
                ClientLimits.usualTTL(from: Interval(minimumTTL), to: Interval(maximumTTL)))
    }

    /// For how long nothing is granted after state was lost, or was gone on with by hand.
    public var quietAfterLoss: Duration {
        Duration(ClockDrift.lengthened(Interval(maximumTTL)))
    }
}
