package import ConclaveBase
package import ConclaveWire

extension ClientCore {
    /// What the shell tells the core.
    package enum Input {
        /// A connection stands, as `Effect.connect` asked.
        case connected
        case frame(FrameBuffer.Frame)
        /// The connection, or the attempt to make one, failed. Not told after `Effect.disconnect`.
        case disconnected(reason: String)
        case tick
    }

    /// What the core wants done, or known, in order.
    package enum Effect: Equatable {
        case connect
        /// Closes the connection; what was sent before still goes out.
        case disconnect
        case send([UInt8])
        /// The session is open on a new connection. The validity page's descriptor came with the
        /// frame: from now on `validity` is to be read from that page, at `SessionOpened.slot`.
        case opened(SessionOpened, hello: DaemonHello)
        /// Exactly once a call; a subscription's is its first state.
        case answered(CallID, Answer)
        /// A subscription's later states; after a reconnection also the state found then. A
        /// `failed` one ends the subscription.
        case event(CallID, Answer)
        case state(ClientState)
        /// An administrator asks for something to be let go of.
        case asked(LetGoNotice)
        /// `goodbye` is done; the core is of no more use.
        case closed
    }

    package enum Answer: Equatable, Sendable {
        case reply(Reply)
        case report(Report)
        case failed(ClientFailure)
    }

    package enum Report: Equatable, Sendable {
        case status(StatusReport)
        case members([MemberReport])
        case view(ViewReport)
        case views([ViewReport])
        case locks(ObjectPage)
        case why(WhyReport)
        case leader(LeaderState)
        case leases(LeasePage)
        case latches(LatchPage)
        case sessions(SessionPage)
        case history(HistoryReport)
        case keys(KeyReport)
        /// As a daemon tells it: nobody but the core sees it.
        case keyNews(KeyNews)
        case keyUpdate(KeyUpdate)
        /// As a daemon tells it: nobody but the core sees it.
        case groupNews(GroupNews)
        /// In order; none: there is nothing new.
        case groupUpdates([GroupUpdate])
        /// To who follows a leader, keys or a group: there may be changes that nobody tells, since no daemon
        /// is there or it is outside the majority.
        case doubtful(reason: String)
        /// What is told is up to date again.
        case assured
        /// The member list is as it was wanted, since that view.
        case memberChange(Epoch)
        /// The daemon went on alone.
        case recovered(RecoverReport)
        case disturbed
    }

    package enum ClientFailure: Equatable, Sendable {
        /// Definite: it was cancelled in order, or was not sent yet since too much was in flight.
        /// Nothing is held or awaited.
        case timedOut
        /// Definite, as `timedOut`.
        case cancelled
        /// It may have been applied or not, and nobody can tell any more.
        case outcomeUnknown
        /// It was never sent, so nothing was changed.
        case unavailable(String)
        /// Whatever came of it is over with the session.
        case sessionLost(LossReason)
        case refused(Refusal)
    }

    /// The session as a whole.
    package enum ClientState: Equatable, Sendable {
        case healthy
        /// What is held stays valid until that instant, unless things get better before.
        case jeopardy(until: Instant, reason: String)
        /// Final: nothing is held any more.
        case lost(LossReason)
    }

    package enum LossReason: Equatable, Sendable {
        /// The group ended it.
        case ended(SessionEnd)
        /// Its deadline has passed by this host's clock (K5).
        case deadlinePassed
        /// The daemon went away and was not back within the session's ttl.
        case daemonGone(String)
        /// It could not be opened or resumed.
        case refused(Refusal)
    }
}
