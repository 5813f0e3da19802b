import ArgumentParser

/// What can be measured, by the name that it has on the command line and in the figures.
enum Measure: String, ExpressibleByArgument, CaseIterable {
    case lockSolo = "lock.solo"
    case lockParallel = "lock.parallel"
    case lockHandoff = "lock.handoff"
    case barrierLast = "barrier.last"
    case barrierStorm = "barrier.storm"
    case barrierLeave = "barrier.leave"
    case barrierBreak = "barrier.break"
    case electKill9 = "elect.kill9"
    case electClose = "elect.close"
    case gapServerKill = "gap.server_kill"
    case watchNotify = "watch.notify"
    case watchFanout = "watch.fanout"
    case multicastLatency = "mcast.latency"
    case multicastRate = "mcast.rate"
    case multicastKill9 = "mcast.kill9"
    case cpuPer10k = "cpu.per10k"
    case cpuIdle = "cpu.idle"
    case rssIdle = "rss.idle"
    case rssHeld = "rss.held"
    case viewChange = "view.change"
    case joinBlank = "join.blank"
    case startAll = "start.all"

    /// Whether it can begin its requests at fixed times.
    var takesRate: Bool { self == .lockSolo || self == .lockParallel }

    /// How many daemons of its own it needs to kill one; 0: it kills none.
    var daemonsToKill: Int {
        switch self {
        case .gapServerKill: 2
        case .viewChange, .joinBlank: 3
        case .startAll: 1
        default: 0
        }
    }

    func run(_ bench: Bench) throws {
        switch self {
        case .lockSolo: try LockSolo(bench).run()
        case .lockParallel: try LockParallel(bench).run()
        case .lockHandoff: try LockHandoff(bench).run()
        case .barrierLast: try BarrierLast(bench).run()
        case .barrierStorm: try BarrierStorm(bench).run()
        case .barrierLeave: try BarrierLeave(bench).run()
        case .barrierBreak: try BarrierBreak(bench).run()
        case .electKill9: try Election(bench, ending: .killed).run()
        case .electClose: try Election(bench, ending: .closed).run()
        case .gapServerKill: try GapServerKill(bench).run()
        case .watchNotify: try WatchNotify(bench).run()
        case .watchFanout: try WatchFanout(bench).run()
        case .multicastLatency: try MulticastLatency(bench).run()
        case .multicastRate: try MulticastRate(bench).run()
        case .multicastKill9: try MulticastKill9(bench).run()
        case .cpuPer10k: try LockParallel(bench, onlyCPU: true).run()
        case .cpuIdle: try CPUIdle(bench).run()
        case .rssIdle: RSSIdle(bench).run()
        case .rssHeld: try RSSHeld(bench).run()
        case .viewChange: try ViewChange(bench).run()
        case .joinBlank: try JoinBlank(bench).run()
        case .startAll: try StartAll(bench).run()
        }
    }
}
